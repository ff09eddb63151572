using System.Linq.Expressions;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Operators;
using Datacake.EventualConsistency;

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
    public Query<T> Where(Expression<Func<T, bool>> predicate) => Operator.Where(Operator.Normalize(predicate)).ToQuery();

    /// <summary>Projects each result into a new form. Entities that are in the new form as a whole are tracked; others are not.</summary>
    public Query<TResult> Select<TResult>(Expression<Func<T, TResult>> selector) => Operator.Select(Operator.Normalize(selector)).ToQuery();

    /// <summary>
    /// Returns the results that are of a class, as that class: <c>db.Vehicles.OfType&lt;Truck&gt;().Where(t => t.Load > 5)</c>. An index
    /// that is declared on the class, or on a property of it, finds them.
    /// </summary>
    public Query<TResult> OfType<TResult>() => new DerivedOperator<T, TResult>(Operator.Where(item => item is TResult)).ToQuery();

    /// <summary>Sorts the results by a key, in ascending order. Null comes first, and strings compare ordinally.</summary>
    public OrderedQuery<T> OrderBy<TKey>(Expression<Func<T, TKey>> keySelector) =>
        OrderBy(new Ordering<T, TKey>(keySelector, isDescending: false, Expressions));

    /// <summary>Sorts the results by a key, in descending order.</summary>
    public OrderedQuery<T> OrderByDescending<TKey>(Expression<Func<T, TKey>> keySelector) =>
        OrderBy(new Ordering<T, TKey>(keySelector, isDescending: true, Expressions));

    /// <summary>
    /// Returns the results that come after an entity in their order, for the page after the one that ends with it: <c>db.Products.OrderBy(p => p.Price).After(last).Take(20)</c>. If a key
    /// or an index provides the order, reading starts there, however many results come before.
    /// </summary>
    /// <remarks>
    /// Results that compare equal are in the order of their keys, so none is returned twice or left out. The entity need not be stored, nor be a result: its key and the properties of the order are used, with
    /// the values that they have when the query runs.
    /// </remarks>
    /// <param name="entity">The entity, such as the last one of a page.</param>
    /// <exception cref="InvalidOperationException">
    /// The query has no order, or orders by a related entity, or its results are not the entities of a keyspace, or are cut by <c>Skip</c> or <c>Take</c>.
    /// </exception>
    public Query<T> After(T entity) => Bounded(entity, isBefore: false);

    /// <summary>
    /// Returns the results that come before an entity in their order; see <see cref="After"/>. The page before the one that starts with it is
    /// <c>db.Products.OrderBy(p => p.Price).Before(first).TakeLast(20)</c>.
    /// </summary>
    /// <param name="entity">The entity, such as the first one of a page.</param>
    /// <exception cref="InvalidOperationException">
    /// The query has no order, or orders by a related entity, or its results are not the entities of a keyspace, or are cut by <c>Skip</c> or <c>Take</c>.
    /// </exception>
    public Query<T> Before(T entity) => Bounded(entity, isBefore: true);

    /// <summary>Skips a number of results and returns the rest.</summary>
    public Query<T> Skip(int count) => count <= 0 ? this : Operator.Skip(count).ToQuery();

    /// <summary>Returns a number of results from the start.</summary>
    public Query<T> Take(int count) => Operator.Take(Math.Max(count, 0)).ToQuery();

    /// <summary>Returns distinct results: the first of those that are equal.</summary>
    public Query<T> Distinct() => new DistinctOperator<T>(Operator).ToQuery();

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
    public string Explain() => Operator.Explain();

    /// <inheritdoc/>
    public async IAsyncEnumerator<T> GetAsyncEnumerator(CancellationToken cancellationToken = default)
    {
        await foreach (var batch in Operator.RunAsync(cancellationToken).WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            foreach (var item in batch)
                yield return item;
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Explain();

    /// <summary>Gets the operator that computes the results.</summary>
    internal abstract QueryOperator<T> Operator { get; }

    /// <inheritdoc cref="QueryOperator{T}.Root"/>
    internal QuerySource Root => Operator.Root;

    internal CompiledExpressions Expressions => Operator.Expressions;

    Query<T> Bounded(T entity, bool isBefore)
    {
        ArgumentNullException.ThrowIfNull(entity);
        return Operator.Bounded(entity, isBefore).ToQuery();
    }

    OrderedQuery<T> OrderBy(Ordering<T> ordering) => Operator.OrderBy([ordering]).ToQuery();

    Query<T> With(Func<QuerySettings, QuerySettings> change) => Operator.With(change).ToQuery();

    /// <summary>Returns a query for some of the results; see <see cref="QueryOperator{T}.Pass"/>.</summary>
    Query<T> Pass(
        string description, Func<IAsyncEnumerable<IReadOnlyList<T>>, QuerySource, IAsyncEnumerable<IReadOnlyList<T>>> transform,
        params IReadOnlyList<ItemExpression> uses) =>
        Operator.Pass(description, transform, uses).ToQuery();

    Query<TResult> Then<TResult>(
        string description, Func<IAsyncEnumerable<IReadOnlyList<T>>, IAsyncEnumerable<IReadOnlyList<TResult>>> transform) =>
        new TransformOperator<T, TResult>(Operator, description, transform).ToQuery();
}
