using System.Linq.Expressions;
using Datacake.Data.Querying;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>
/// A query over the local store, run anew each time that it is enumerated. Immutable: each operator returns another query. Conditions,
/// orderings and projections are any C# expressions; those on keys and indexed properties find entities without looking at the others, see
/// <see cref="Explain"/>.
/// </summary>
/// <remarks>
/// Results are those of LINQ to Objects over the stored entities in the order of their keys, with strings compared by ordinal. Each run
/// sees one snapshot of the store, and no unsaved changes; a tracked entity comes as the instance that the context has, with its current
/// values. A query is an <see cref="IAsyncEnumerable{T}"/> too, so what an expression cannot hold, such as a condition that awaits, is for the
/// operators of <see cref="AsyncEnumerable"/>: these read all that comes before them, and track it.
/// </remarks>
public abstract partial class Query<T> : IAsyncEnumerable<T>
{
    private protected Query()
    {
    }

    /// <summary>The items for which the predicate is true.</summary>
    public Query<T> Where(Expression<Func<T, bool>> predicate) => WhereCore(Normalize(predicate));

    /// <summary>What the selector makes of each item. Entities that go into the result as a whole are tracked, others not.</summary>
    public Query<TResult> Select<TResult>(Expression<Func<T, TResult>> selector) => SelectCore(Normalize(selector));

    /// <summary>
    /// The items that are of a class, as such: <c>db.Vehicles.OfType&lt;Truck&gt;().Where(t => t.Load > 5)</c>. An index of the class, that is one
    /// on its properties or declared on it, finds them.
    /// </summary>
    public Query<TResult> OfType<TResult>() => new DerivedQuery<T, TResult>(WhereCore(item => item is TResult));

    /// <summary>The items in ascending order of a key: null first, strings by ordinal.</summary>
    public OrderedQuery<T> OrderBy<TKey>(Expression<Func<T, TKey>> keySelector) =>
        OrderByCore([new Ordering<T, TKey>(keySelector, isDescending: false, Expressions)]);

    /// <summary>The items in descending order of a key.</summary>
    public OrderedQuery<T> OrderByDescending<TKey>(Expression<Func<T, TKey>> keySelector) =>
        OrderByCore([new Ordering<T, TKey>(keySelector, isDescending: true, Expressions)]);

    /// <summary>The items without the first ones.</summary>
    public Query<T> Skip(int count) => count <= 0 ? this : SkipCore(count);

    /// <summary>The first items.</summary>
    public Query<T> Take(int count) => TakeCore(Math.Max(count, 0));

    /// <summary>Each of equal items once, the first of them.</summary>
    public Query<T> Distinct() => Then("distinct", static items => Batches.Distinct(items));

    /// <summary>
    /// Returns the same query, whose entities the context does not track: they are read faster, and changes of them are not saved.
    /// </summary>
    public Query<T> AsNoTracking() => With(static settings => settings with { IsTracking = false, Identities = null });

    /// <summary>Returns the same query, whose entities the context tracks, whatever <see cref="ChangeTracker.QueryTrackingBehavior"/> says.</summary>
    public Query<T> AsTracking() => With(static settings => settings with { IsTracking = true });

    /// <summary>Returns the same query without the filters that the model has for the entities and for what is included; see <c>HasQueryFilter</c>.</summary>
    public Query<T> IgnoreQueryFilters() => With(static settings => settings with { IgnoredFilters = [] });

    /// <summary>Returns the same query without the filters of these names.</summary>
    /// <param name="filterKeys">The names that <c>HasQueryFilter</c> gave.</param>
    public Query<T> IgnoreQueryFilters(IReadOnlyCollection<string> filterKeys)
    {
        ArgumentNullException.ThrowIfNull(filterKeys);
        // None is left out of none, and all are left out already of all.
        return filterKeys.Count == 0 ? this : With(settings => settings.IgnoredFilters is { Count: 0 }
            ? settings
            : settings with { IgnoredFilters = [.. settings.IgnoredFilters ?? [], .. filterKeys] });
    }

    /// <summary>Returns the same query with a text that <see cref="Explain"/>, the warning of a query that reads much, and interceptors show.</summary>
    /// <param name="tag">The text, such as what the query is for.</param>
    public Query<T> TagWith(string tag)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag);
        return With(settings => settings with { Tags = [.. settings.Tags, tag] });
    }

    /// <summary>
    /// Returns the same query at a consistency level: before it reads the local store, it waits until this node has everything that as many nodes have as the level says. So at
    /// <see cref="Consistency.Quorum"/> it sees whatever was saved at quorum before, on any node. A query that is watched has no level.
    /// </summary>
    /// <exception cref="NotEnoughNodesException">When it is run: the members that are up cannot satisfy the level.</exception>
    /// <exception cref="ConsistencyException">When it is run: the level was not satisfied in time.</exception>
    public Query<T> WithConsistency(Consistency consistency) => With(settings => settings with { Level = consistency });

    /// <summary>Hands over to the operators of <see cref="AsyncEnumerable"/>.</summary>
    public IAsyncEnumerable<T> AsAsyncEnumerable() => this;

    /// <summary>How the query would find its results: which key or index, or a scan; what is left to check; how they are ordered.</summary>
    public abstract string Explain();

    /// <inheritdoc/>
    public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        await foreach (var batch in RunAsync(cancellationToken).WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            foreach (var item in batch)
                yield return item;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Explain();

    /// <summary>Gets where the entities come from that the query begins with.</summary>
    internal abstract QuerySource Root { get; }

    internal CompiledExpressions Expressions => Root.Model.Expressions;

    /// <summary>Where the entities come from, if the query is one for the entities of a keyspace.</summary>
    internal virtual QuerySource? Source => null;

    /// <summary>The results, in batches that are never empty.</summary>
    internal abstract IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken);

    /// <summary>All results, in a list of the caller's own.</summary>
    internal virtual async Task<List<T>> ToListCore(CancellationToken cancellationToken)
    {
        var results = new List<T>();
        await foreach (var batch in RunAsync(cancellationToken).WithCancellation(cancellationToken).ConfigureAwait(false))
            results.AddRange(batch);
        return results;
    }

    internal virtual Query<T> WhereCore(Expression<Func<T, bool>> predicate) => WhereInMemory(predicate);

    internal Query<T> WhereInMemory(Expression<Func<T, bool>> predicate) => new PassingQuery<T>(
        this, $"where {ExpressionText.Of(predicate)}",
        UsesRelated(predicate)
            ? (items, source) => RelatedSteps.Where(items, source, predicate)
            : (items, source) => Batches.Where(items, source.Model.Expressions.Compile(RunValues.Apply(predicate, source.Model.Expressions))),
        [ItemUse.Of(predicate)], isFilter: true);

    internal virtual Query<TResult> SelectCore<TResult>(Expression<Func<T, TResult>> selector) => UsesRelated(selector)
        ? new RelatedProjection<T, TResult>(ForUse([ItemUse.Of(selector)]), Root, selector)
        : new ProjectedQuery<T, TResult>(this, selector);

    /// <summary>Refuses the key of an operator if it cannot be seen into and may use related entities, which are not loaded then.</summary>
    internal virtual void RefuseOpaque(LambdaExpression key) => OpaqueUse.Refuse(Root.Context, key);

    /// <summary>True if an expression names properties with related entities, which are to be loaded.</summary>
    internal bool UsesRelated(LambdaExpression lambda) => NavigationBinder.IsUsedIn(Root.Context, lambda);

    /// <summary>Returns the same query, run with other settings.</summary>
    internal abstract Query<T> With(Func<QuerySettings, QuerySettings> change);

    /// <summary>Returns the query for one run, which tracks nothing and has the instances that a tracking one would have.</summary>
    internal Query<T> Resolving(RunIdentities run) => With(settings => settings.IsTracking ? settings with { Identities = run } : settings);

    /// <summary>Returns the query as one that has one instance for each entity within a run, also if it does not track.</summary>
    internal Query<T> Identifying(RunIdentities run) => With(settings => settings.IsTracking ? settings : settings with { IsTracking = true, Identities = run });

    /// <summary>Returns the query as one that reads a snapshot which is open already.</summary>
    internal Query<T> At(StoreSnapshot snapshot) => With(settings => settings with { Snapshot = snapshot });

    internal virtual OrderedQuery<T> OrderByCore(IReadOnlyList<Ordering<T>> orderings) => new SortedQuery<T>(this, orderings);

    internal virtual Query<T> SkipCore(int count) => Pass($"skip {count}", items => Batches.Skip(items, count));

    internal virtual Query<T> TakeCore(int count) => Pass($"take {count}", items => Batches.Take(items, count));

    internal virtual Query<T> ReverseCore() => Pass("reverse", static items => Batches.Reverse(items));

    /// <summary>Returns the query for a caller that makes nothing but this of each item: properties that are not used need not be read.</summary>
    internal virtual Query<T> ForUse(IReadOnlyList<ItemUse> uses) => this;

    /// <summary>Opens the snapshot that a run of the query would read; null if the query has one already.</summary>
    internal abstract ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken);

    /// <summary>True if the items of a key can be looked up, in the snapshot that the query reads, without reading all items.</summary>
    internal virtual bool CanLookUp(ItemUse key) => false;

    /// <summary>The results with their keys, which are those of the stored entities also where tracked ones have changed.</summary>
    internal virtual IAsyncEnumerable<IReadOnlyList<(TKey Key, T Item)>> RunKeyedAsync<TKey>(
        Expression<Func<T, TKey>> keySelector, CancellationToken cancellationToken)
    {
        if (UsesRelated(keySelector))
            return RelatedSteps.Key(RunAsync(cancellationToken), Root, keySelector, cancellationToken);
        var key = Expressions.Compile(keySelector);
        return Batches.Select(RunAsync(cancellationToken), item => (key(item), item));
    }

    internal virtual async Task<bool> AnyCore(CancellationToken cancellationToken) =>
        (await ForUse([]).Resolving(new RunIdentities()).TakeCore(1).ToListAsync(cancellationToken).ConfigureAwait(false)).Count > 0;

    internal virtual async ValueTask<long> CountCoreAsync(CancellationToken cancellationToken)
    {
        long count = 0;
        await foreach (var batch in ForUse([]).Resolving(new RunIdentities()).RunAsync(cancellationToken).WithCancellation(cancellationToken).ConfigureAwait(false))
            count += batch.Count;
        return count;
    }

    Expression<TDelegate> Normalize<TDelegate>(Expression<TDelegate> lambda) =>
        StoredEqualityNormalizer.Normalize(OrdinalNormalizer.Normalize(lambda), Expressions.Entity, Source?.Context);

    /// <summary>Some of the results, of which nothing is used but what is said.</summary>
    private protected PassingQuery<T> Pass(
        string description, Func<IAsyncEnumerable<IReadOnlyList<T>>, IAsyncEnumerable<IReadOnlyList<T>>> transform, params IReadOnlyList<ItemUse> uses) =>
        new(this, description, (items, _) => transform(items), uses, isFilter: false);

    private protected TransformedQuery<T, TResult> Then<TResult>(
        string description, Func<IAsyncEnumerable<IReadOnlyList<T>>, IAsyncEnumerable<IReadOnlyList<TResult>>> transform) =>
        new(this, description, transform);
}
