using System.Linq.Expressions;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Including;
using Datacake.Data.Querying.Operators;
using Datacake.Data.Querying.Related;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying;

/// <summary>
/// An operator of a query, which computes results from the entities of a keyspace or from the results of other operators. Immutable. The
/// methods named after the operators of <see cref="Query{T}"/> return the operator that follows this one. By default, it works in memory.
/// Operators override these methods where keys or indexes can help.
/// </summary>
abstract class QueryOperator<T>
{
    /// <summary>Gets the source of the entities that the query starts from.</summary>
    public abstract QuerySource Root { get; }

    /// <summary>Gets the source of the entities if the results are entities of a keyspace that can be updated; otherwise null.</summary>
    public virtual QuerySource? Source => null;

    /// <summary>Gets the source of the entities if the results are entities of a keyspace, which can include others; otherwise null.</summary>
    public virtual QuerySource? Entities => Source;

    /// <summary>Gets the cache of the compiled expressions of the query.</summary>
    public CompiledExpressions Expressions => Root.Model.Expressions;

    /// <summary>Returns the query that ends with this operator.</summary>
    public virtual Query<T> ToQuery() => new UnorderedQuery<T>(this);

    /// <summary>Returns a description of how the results are found.</summary>
    public abstract string Explain();

    /// <inheritdoc/>
    public sealed override string ToString() => Explain();

    /// <summary>Returns the operator with other settings of the query.</summary>
    public abstract QueryOperator<T> With(Func<QuerySettings, QuerySettings> change);

    /// <summary>Returns the operator for one run that tracks nothing, but returns the instances that a tracking query would return.</summary>
    public QueryOperator<T> Resolving(RunIdentities run) => With(settings => settings.IsTracking ? settings with { Identities = run } : settings);

    /// <summary>Returns the operator with one instance for each entity within a run, even if the query does not track.</summary>
    public QueryOperator<T> Identifying(RunIdentities run) => With(settings => settings.IsTracking ? settings : settings with { IsTracking = true, Identities = run });

    /// <summary>Returns the operator, to be run on a snapshot that is open already.</summary>
    public QueryOperator<T> At(StoreSnapshot snapshot) => With(settings => settings with { Snapshot = snapshot });

    /// <summary>Opens the snapshot that a run of the query reads, or returns null if the query has one already.</summary>
    public ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken)
    {
        var root = Root;
        return root.Settings.OpenSnapshotAsync(root.Context, cancellationToken);
    }

    /// <summary>
    /// Returns the operator for a caller that uses nothing but the given expressions of each item, so that other properties need not be
    /// read.
    /// </summary>
    public virtual QueryOperator<T> ForUse(IReadOnlyList<ItemExpression> uses) => this;

    /// <summary>Returns the operator for a caller that computes something from the results that does not depend on their order.</summary>
    public virtual QueryOperator<T> Unordered() => this;

    /// <summary>Returns the operator for a caller that uses the first of equal results alone.</summary>
    public virtual QueryOperator<T> ForDistinct() => this;

    /// <summary>Returns the operator for a caller that uses nothing but a value of the results, and each value once.</summary>
    public virtual QueryOperator<T> ForDistinct(ItemExpression value) => this;

    /// <summary>True if the items with a key can be looked up in the snapshot that the query reads, without reading all items.</summary>
    public virtual bool CanLookUp(ItemExpression key) => false;

    public virtual QueryOperator<T> Where(Expression<Func<T, bool>> predicate) => WhereInMemory(predicate);

    public QueryOperator<T> WhereInMemory(Expression<Func<T, bool>> predicate) => new SubsetOperator<T>(
        this, $"where {ExpressionText.Of(predicate)}",
        UsesRelated(predicate)
            ? (items, source) => RelatedSteps.Where(items, source, predicate)
            : (items, source) => Batches.Where(items, source.Model.Expressions.Compile(RunConstantRewriter.Apply(predicate, source.Model.Expressions))),
        [ItemExpression.Of(predicate)], isFilter: true);

    public virtual QueryOperator<TResult> Select<TResult>(Expression<Func<T, TResult>> selector) => UsesRelated(selector)
        ? new RelatedProjectOperator<T, TResult>(ForUse([ItemExpression.Of(selector)]), Root, selector)
        : new ProjectOperator<T, TResult>(this, selector);

    public virtual OrderedOperator<T> OrderBy(IReadOnlyList<Ordering<T>> orderings) => new SortOperator<T>(this, orderings);

    /// <summary>Returns the results that come after an entity in their order, or before it.</summary>
    /// <exception cref="InvalidOperationException">The results are not entities in an order, or the order is not by their own properties.</exception>
    public virtual QueryOperator<T> Bounded(T entity, bool isBefore) => throw new InvalidOperationException(
        $"{(isBefore ? "Before" : "After")} needs a query for the entities of a keyspace, in an order by their own properties, but this query is '{this}'. "
        + $"Call OrderBy and {(isBefore ? "Before" : "After")} before Select, Distinct, and the operators after Skip and Take.");

    public virtual QueryOperator<T> Skip(int count) => Pass($"skip {count}", (items, _) => Batches.Skip(items, count));

    public virtual QueryOperator<T> Take(int count) => Pass($"take {count}", (items, _) => Batches.Take(items, count));

    public virtual QueryOperator<T> Reverse() => Pass("reverse", static (items, _) => Batches.Reverse(items));

    /// <summary>Includes related entities in the results.</summary>
    /// <exception cref="InvalidOperationException">The results are not entities of a keyspace.</exception>
    public virtual OrderedOperator<T> Include(Inclusion<T> inclusion) => Entities is null ? throw NotIncludable() : new IncludeOperator<T>(this, [inclusion]);

    /// <summary>Returns the results, in batches that are never empty.</summary>
    public abstract IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Returns the results with their keys. The keys are those of the stored entities, even if tracked instances have changed.
    /// </summary>
    public virtual IAsyncEnumerable<IReadOnlyList<(TKey Key, T Item)>> RunKeyedAsync<TKey>(
        Expression<Func<T, TKey>> keySelector, CancellationToken cancellationToken)
    {
        if (UsesRelated(keySelector))
            return OnSnapshotAsync(query => RelatedSteps.Key(query.RunAsync(cancellationToken), query.Root, keySelector, cancellationToken), cancellationToken);
        var key = Expressions.Compile(keySelector);
        return Batches.Select(RunAsync(cancellationToken), item => (key(item), item));
    }

    /// <summary>
    /// Returns the results with their keys, for a caller that does not depend on their order. Results that do not differ in what the caller uses may be returned once, with their number.
    /// </summary>
    public virtual IAsyncEnumerable<IReadOnlyList<(TKey Key, T Item, long Count)>> RunCountedAsync<TKey>(
        Expression<Func<T, TKey>> keySelector, CancellationToken cancellationToken) =>
        Batches.Select(RunKeyedAsync(keySelector, cancellationToken), static item => (item.Key, item.Item, 1L));

    /// <summary>
    /// Runs the operator with a snapshot that it keeps until its last result. Related entities, which are read after the results, then come
    /// from the snapshot of the results.
    /// </summary>
    protected async IAsyncEnumerable<TResult> OnSnapshotAsync<TResult>(
        Func<QueryOperator<T>, IAsyncEnumerable<TResult>> run, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var own = await OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var batch in run(own is null ? this : At(own)).WithCancellation(cancellationToken).ConfigureAwait(false))
            yield return batch;
    }

    /// <summary>True if the operator has to open a snapshot, because it reads related entities and has none yet.</summary>
    protected bool NeedsSnapshot(bool readsRelated) => readsRelated && Root.Settings.Snapshot is null;

    /// <summary>Returns all results, in a list that the caller owns.</summary>
    public virtual async Task<List<T>> ToListAsync(CancellationToken cancellationToken)
    {
        var results = new List<T>();
        await foreach (var batch in RunAsync(cancellationToken).WithCancellation(cancellationToken).ConfigureAwait(false))
            results.AddRange(batch);
        return results;
    }

    public virtual async Task<bool> AnyAsync(CancellationToken cancellationToken) =>
        (await Unordered().ForUse([]).Resolving(new RunIdentities()).Take(1).ToListAsync(cancellationToken).ConfigureAwait(false)).Count > 0;

    public virtual async ValueTask<long> CountAsync(CancellationToken cancellationToken)
    {
        long count = 0;
        await foreach (var batch in Unordered().ForUse([]).Resolving(new RunIdentities()).RunAsync(cancellationToken).WithCancellation(cancellationToken).ConfigureAwait(false))
            count += batch.Count;
        return count;
    }

    /// <summary>Returns the smallest or greatest value; null if there is no value other than null.</summary>
    public virtual async Task<TResult?> ExtremeAsync<TResult>(
        Expression<Func<T, TResult>> selector, bool isGreatest, CancellationToken cancellationToken)
    {
        if (!QueryComparer<TResult>.HasOrder)
            throw QueryComparer<TResult>.NoOrder(selector);
        var comparer = QueryComparer<TResult>.Instance;
        var extreme = await FoldAsync(
            selector,
            (HasAny: false, Value: default(TResult)),
            (found, value) => found.HasAny && (value is null || (found.Value is not null && comparer.Compare(value, found.Value) is var order && (isGreatest ? order <= 0 : order >= 0)))
                ? found : (true, value),
            isOrdered: false,
            cancellationToken).ConfigureAwait(false);
        return extreme.HasAny || default(TResult) is null ? extreme.Value : throw Query<T>.NoResults();
    }

    /// <summary>Computes something from a value of each result, and holds no more than a batch of them. Nothing is tracked.</summary>
    /// <param name="selector">The value of a result.</param>
    /// <param name="state">The state before the first value.</param>
    /// <param name="add">Returns the state after a value.</param>
    /// <param name="isOrdered">True if the state depends on the order of the results.</param>
    /// <param name="cancellationToken">Cancels the query.</param>
    public async Task<TState> FoldAsync<TValue, TState>(
        Expression<Func<T, TValue>> selector, TState state, Func<TState, TValue, TState> add, bool isOrdered, CancellationToken cancellationToken)
    {
        var values = (isOrdered ? this : Unordered()).Resolving(new RunIdentities()).Select(Normalize(selector)).RunAsync(cancellationToken);
        await foreach (var batch in values.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            if (batch is List<TValue> list)
            {
                foreach (var value in CollectionsMarshal.AsSpan(list))
                    state = add(state, value);
                continue;
            }
            foreach (var value in batch)
                state = add(state, value);
        }
        return state;
    }

    /// <summary>Returns the sum and the number of the values of the results.</summary>
    public Task<(TSum Sum, long Count)> TotalAsync<TValue, TSum>(Expression<Func<T, TValue>> selector, CancellationToken cancellationToken)
        where TValue : INumberBase<TValue>
        where TSum : INumberBase<TSum> =>
        FoldAsync(selector, (Sum: TSum.Zero, Count: 0L), static (total, value) => (total.Sum + TSum.CreateChecked(value), total.Count + 1), IsRounded<TSum>(), cancellationToken);

    /// <summary>Returns the sum and the number of the values of the results that are not null.</summary>
    public Task<(TSum Sum, long Count)> TotalAsync<TValue, TSum>(Expression<Func<T, TValue?>> selector, CancellationToken cancellationToken)
        where TValue : struct, INumberBase<TValue>
        where TSum : INumberBase<TSum> =>
        FoldAsync(
            selector, (Sum: TSum.Zero, Count: 0L),
            static (total, value) => value is { } present ? (total.Sum + TSum.CreateChecked(present), total.Count + 1) : total, IsRounded<TSum>(), cancellationToken);

    /// <summary>
    /// Returns the results of a projection, if this operator can compute them without creating what it returns itself; otherwise null.
    /// </summary>
    public virtual IAsyncEnumerable<IReadOnlyList<TResult>>? Project<TResult>(Expression<Func<T, TResult>> selector, CancellationToken cancellationToken) => null;

    // The sum of floating-point numbers depends on their order, because each step is rounded.
    static bool IsRounded<TSum>() => typeof(TSum) == typeof(double);

    /// <summary>Updates the results in the store, or deletes them if <paramref name="update"/> is null.</summary>
    public virtual Task<SaveResult> ExecuteAsync(Func<NavigationRoots, Action<object>>? update, BulkOptions options, CancellationToken cancellationToken) =>
        throw NotUpdatable();

    public virtual IAsyncEnumerable<EntityChanges<T>> WatchAsync(WatchPosition? after, CancellationToken cancellationToken) =>
        throw new InvalidOperationException(
            $"WatchAsync needs a query for the entities of a keyspace, but this query is '{this}'. Watch the entities, and project the changes.");

    /// <summary>Returns an operator for some of the results, which uses nothing but the given expressions of each item to select them.</summary>
    public SubsetOperator<T> Pass(
        string description, Func<IAsyncEnumerable<IReadOnlyList<T>>, QuerySource, IAsyncEnumerable<IReadOnlyList<T>>> transform,
        params IReadOnlyList<ItemExpression> uses) =>
        new(this, description, transform, uses, isFilter: false);

    /// <summary>Returns a function that adds keys to items, and loads the related entities that the keys use, from the source of a run.</summary>
    public Func<IAsyncEnumerable<IReadOnlyList<T>>, QuerySource, IAsyncEnumerable<IReadOnlyList<(TKey Key, T Item)>>> KeyedBy<TKey>(Expression<Func<T, TKey>> keySelector)
    {
        ArgumentNullException.ThrowIfNull(keySelector);
        RefuseOpaque(keySelector);
        var normalized = RunConstantRewriter.Apply(Normalize(keySelector), Expressions);
        if (UsesRelated(normalized))
            return (items, source) => RelatedSteps.Key(items, source, normalized);
        var key = Expressions.Compile(normalized);
        return (items, _) => Batches.Select(items, item => (key(item), item));
    }

    /// <summary>Returns an expression of the caller in the form that operators expect.</summary>
    public Expression<TDelegate> Normalize<TDelegate>(Expression<TDelegate> lambda) =>
        StoredEqualityNormalizer.Normalize(OrdinalNormalizer.Normalize(lambda), Expressions.Entity, Source?.Context.Model);

    /// <summary>
    /// Throws an exception if the key of an operator cannot be analyzed and may use related entities, which would not be loaded.
    /// </summary>
    public virtual void RefuseOpaque(LambdaExpression key) => OpaqueExpressionSearch.Refuse(Root.Context.Model, key);

    /// <summary>True if an expression uses navigations, whose entities have to be loaded.</summary>
    protected bool UsesRelated(LambdaExpression lambda) => NavigationBinder.IsUsedIn(Root.Context.Model, lambda);

    /// <inheritdoc cref="UsesRelated(LambdaExpression)"/>
    protected bool UsesRelated(ItemExpression use) => NavigationBinder.IsUsedIn(Root.Context.Model, use);

    /// <summary>Returns the exception to throw if the results cannot be updated in the store.</summary>
    public InvalidOperationException NotUpdatable() => new(
        $"ExecuteUpdateAsync and ExecuteDeleteAsync need a query for the entities of a keyspace, and this is '{this}'. Remove Select, Distinct, "
        + "and the operators after Skip and Take.");

    /// <summary>Returns the exception to throw if the results cannot include related entities.</summary>
    public InvalidOperationException NotIncludable() => new(
        $"Only a query for the entities of a keyspace can include others, but this query is '{this}'. Call Include before Select, Distinct, "
        + "and conditions that use included entities.");
}
