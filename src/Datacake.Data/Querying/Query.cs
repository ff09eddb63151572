using System.Linq.Expressions;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Operators;
using Datacake.Data.Querying.Related;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data;

/// <summary>
/// A query over the local store, which is run each time it is enumerated. Immutable: each operator returns another query. Conditions,
/// orderings and projections can be any C# expressions. Conditions on keys and indexed properties find entities without reading the others;
/// see <see cref="Explain"/>.
/// </summary>
/// <remarks>
/// The results are those of LINQ to Objects over the stored entities in the order of their keys, with strings compared ordinally. Each run
/// reads one snapshot of the store, without unsaved changes. A tracked entity is returned as the instance that the context tracks, with its
/// current values. A query is also an <see cref="IAsyncEnumerable{T}"/>, so the operators of <see cref="AsyncEnumerable"/> can do what an
/// expression cannot, such as await within a condition. These operators read all results of the query before them, and track them.
/// </remarks>
public abstract partial class Query<T> : IAsyncEnumerable<T>
{
    private protected Query()
    {
    }

    /// <summary>Filters the results by a predicate.</summary>
    public Query<T> Where(Expression<Func<T, bool>> predicate) => WhereCore(Normalize(predicate));

    /// <summary>Projects each result into a new form. Entities that are in the new form as a whole are tracked; others are not.</summary>
    public Query<TResult> Select<TResult>(Expression<Func<T, TResult>> selector) => SelectCore(Normalize(selector));

    /// <summary>
    /// Returns the results that are of a class, as that class: <c>db.Vehicles.OfType&lt;Truck&gt;().Where(t => t.Load > 5)</c>. An index
    /// that is declared on the class, or on a property of it, finds them.
    /// </summary>
    public Query<TResult> OfType<TResult>() => new DerivedQuery<T, TResult>(WhereCore(item => item is TResult));

    /// <summary>Sorts the results by a key, in ascending order. Null comes first, and strings compare ordinally.</summary>
    public OrderedQuery<T> OrderBy<TKey>(Expression<Func<T, TKey>> keySelector) =>
        OrderByCore([new Ordering<T, TKey>(keySelector, isDescending: false, Expressions)]);

    /// <summary>Sorts the results by a key, in descending order.</summary>
    public OrderedQuery<T> OrderByDescending<TKey>(Expression<Func<T, TKey>> keySelector) =>
        OrderByCore([new Ordering<T, TKey>(keySelector, isDescending: true, Expressions)]);

    /// <summary>Skips a number of results and returns the rest.</summary>
    public Query<T> Skip(int count) => count <= 0 ? this : SkipCore(count);

    /// <summary>Returns a number of results from the start.</summary>
    public Query<T> Take(int count) => TakeCore(Math.Max(count, 0));

    /// <summary>Returns distinct results: the first of those that are equal.</summary>
    public Query<T> Distinct() => Then("distinct", static items => Batches.Distinct(items));

    /// <summary>
    /// Returns a query whose entities the context does not track. They are read faster, and changes to them are not saved.
    /// </summary>
    public Query<T> AsNoTracking() => With(static settings => settings with { IsTracking = false, Identities = null });

    /// <summary>
    /// Returns a query whose entities the context tracks, regardless of <see cref="ChangeTracker.QueryTrackingBehavior"/>.
    /// </summary>
    public Query<T> AsTracking() => With(static settings => settings with { IsTracking = true });

    /// <summary>
    /// Returns the query without the filters that the model defines for its entities and for included ones; see <c>HasQueryFilter</c>.
    /// </summary>
    public Query<T> IgnoreQueryFilters() => With(static settings => settings with { IgnoredFilters = [] });

    /// <summary>Returns the query without the filters with the given names.</summary>
    /// <param name="filterKeys">The names that were passed to <c>HasQueryFilter</c>.</param>
    public Query<T> IgnoreQueryFilters(IReadOnlyCollection<string> filterKeys)
    {
        ArgumentNullException.ThrowIfNull(filterKeys);
        // Without names, nothing changes. If all filters are ignored already, none are left to name.
        return filterKeys.Count == 0 ? this : With(settings => settings.IgnoredFilters is { Count: 0 }
            ? settings
            : settings with { IgnoredFilters = [.. settings.IgnoredFilters ?? [], .. filterKeys] });
    }

    /// <summary>
    /// Returns the query with a tag that is shown by <see cref="Explain"/>, by interceptors, and by the warning about queries that read
    /// many documents.
    /// </summary>
    /// <param name="tag">The tag, such as the purpose of the query.</param>
    public Query<T> TagWith(string tag)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag);
        return With(settings => settings with { Tags = [.. settings.Tags, tag] });
    }

    /// <summary>
    /// Returns the query with a consistency level. Before it reads the local store, the query waits until this node has caught up with as
    /// many nodes as the level requires. At <see cref="Consistency.Quorum"/>, it therefore sees everything that was saved at quorum before,
    /// on any node. A watched query cannot have a level.
    /// </summary>
    /// <exception cref="NotEnoughNodesException">
    /// The members that are up cannot satisfy the level. Thrown when the query is run.
    /// </exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. Thrown when the query is run.</exception>
    public Query<T> WithConsistency(Consistency consistency) => With(settings => settings with { Level = consistency });

    /// <summary>Returns the query as an <see cref="IAsyncEnumerable{T}"/>, for the operators of <see cref="AsyncEnumerable"/>.</summary>
    public IAsyncEnumerable<T> AsAsyncEnumerable() => this;

    /// <summary>
    /// Returns a description of how the query finds its results: the key or index, or a scan; the conditions that are left to check; and
    /// the way the results are ordered.
    /// </summary>
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

    /// <summary>Gets the source of the entities that the query starts from.</summary>
    internal abstract QuerySource Root { get; }

    internal CompiledExpressions Expressions => Root.Model.Expressions;

    /// <summary>Gets the source of the entities if the query is one for the entities of a keyspace; otherwise null.</summary>
    internal virtual QuerySource? Source => null;

    /// <summary>Returns the results, in batches that are never empty.</summary>
    internal abstract IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken);

    /// <summary>Returns all results, in a list that the caller owns.</summary>
    internal virtual async Task<List<T>> ToListCore(CancellationToken cancellationToken)
    {
        var results = new List<T>();
        await foreach (var batch in RunAsync(cancellationToken).WithCancellation(cancellationToken).ConfigureAwait(false))
            results.AddRange(batch);
        return results;
    }

    internal virtual Query<T> WhereCore(Expression<Func<T, bool>> predicate) => WhereInMemory(predicate);

    internal Query<T> WhereInMemory(Expression<Func<T, bool>> predicate) => new SelectedQuery<T>(
        this, $"where {ExpressionText.Of(predicate)}",
        UsesRelated(predicate)
            ? (items, source) => RelatedSteps.Where(items, source, predicate)
            : (items, source) => Batches.Where(items, source.Model.Expressions.Compile(RunConstantRewriter.Apply(predicate, source.Model.Expressions))),
        [ItemExpression.Of(predicate)], isFilter: true);

    internal virtual Query<TResult> SelectCore<TResult>(Expression<Func<T, TResult>> selector) => UsesRelated(selector)
        ? new RelatedProjection<T, TResult>(ForUse([ItemExpression.Of(selector)]), Root, selector)
        : new ProjectedQuery<T, TResult>(this, selector);

    /// <summary>
    /// Throws an exception if the key of an operator cannot be analyzed and may use related entities, which would not be loaded.
    /// </summary>
    internal virtual void RefuseOpaque(LambdaExpression key) => OpaqueExpressionSearch.Refuse(Root.Context.Model, key);

    /// <summary>True if an expression uses navigations, whose entities have to be loaded.</summary>
    internal bool UsesRelated(LambdaExpression lambda) => NavigationBinder.IsUsedIn(Root.Context.Model, lambda);

    /// <summary>Returns the query with other settings.</summary>
    internal abstract Query<T> With(Func<QuerySettings, QuerySettings> change);

    /// <summary>Returns the query for one run that tracks nothing, but returns the instances that a tracking query would return.</summary>
    internal Query<T> Resolving(RunIdentities run) => With(settings => settings.IsTracking ? settings with { Identities = run } : settings);

    /// <summary>Returns the query with one instance for each entity within a run, even if the query does not track.</summary>
    internal Query<T> Identifying(RunIdentities run) => With(settings => settings.IsTracking ? settings : settings with { IsTracking = true, Identities = run });

    /// <summary>Returns the query, to be run on a snapshot that is open already.</summary>
    internal Query<T> At(StoreSnapshot snapshot) => With(settings => settings with { Snapshot = snapshot });

    internal virtual OrderedQuery<T> OrderByCore(IReadOnlyList<Ordering<T>> orderings) => new SortedQuery<T>(this, orderings);

    internal virtual Query<T> SkipCore(int count) => Pass($"skip {count}", items => Batches.Skip(items, count));

    internal virtual Query<T> TakeCore(int count) => Pass($"take {count}", items => Batches.Take(items, count));

    internal virtual Query<T> ReverseCore() => Pass("reverse", static items => Batches.Reverse(items));

    /// <summary>
    /// Returns the query for a caller that uses nothing but the given expressions of each item, so that other properties need not be read.
    /// </summary>
    internal virtual Query<T> ForUse(IReadOnlyList<ItemExpression> uses) => this;

    /// <summary>Opens the snapshot that a run of the query reads, or returns null if the query has one already.</summary>
    internal abstract ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken);

    /// <summary>True if the items with a key can be looked up in the snapshot that the query reads, without reading all items.</summary>
    internal virtual bool CanLookUp(ItemExpression key) => false;

    /// <summary>
    /// Returns the results with their keys. The keys are those of the stored entities, even if tracked instances have changed.
    /// </summary>
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
        StoredEqualityNormalizer.Normalize(OrdinalNormalizer.Normalize(lambda), Expressions.Entity, Source?.Context.Model);

    /// <summary>
    /// Returns a query for some of the results, which uses nothing but the given expressions of each item to select them.
    /// </summary>
    private protected SelectedQuery<T> Pass(
        string description, Func<IAsyncEnumerable<IReadOnlyList<T>>, IAsyncEnumerable<IReadOnlyList<T>>> transform, params IReadOnlyList<ItemExpression> uses) =>
        new(this, description, (items, _) => transform(items), uses, isFilter: false);

    private protected TransformedQuery<T, TResult> Then<TResult>(
        string description, Func<IAsyncEnumerable<IReadOnlyList<T>>, IAsyncEnumerable<IReadOnlyList<TResult>>> transform) =>
        new(this, description, transform);
}
