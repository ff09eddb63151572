using System.Linq.Expressions;
using Datacake.Data.Querying.Operators;
using Datacake.Data.Querying.Related;

namespace Datacake.Data.Querying.Including;

/// <summary>
/// Entities that were selected in memory, with related ones. Like <see cref="EntityOperator{T}"/>, it passes operators that use no included
/// entities to the query before the inclusion, so that no entity is loaded in vain.
/// </summary>
/// <param name="source">The query for the entities.</param>
/// <param name="inclusions">The related entities to load into them.</param>
sealed class IncludeOperator<T>(QueryOperator<T> source, IReadOnlyList<Inclusion<T>> inclusions) : OrderedOperator<T>
{
    public override QuerySource Root => source.Root;

    public override QuerySource? Entities => source.Entities;

    public override IReadOnlyList<Ordering<T>> Orderings => source is OrderedOperator<T> ordered ? ordered.Orderings : [];

    public override string Explain() => string.Join("; ", [source.Explain(), .. inclusions]);

    public override QueryOperator<T> With(Func<QuerySettings, QuerySettings> change) => With(source.With(change));

    public override QueryOperator<T> ForUse(IReadOnlyList<ItemExpression> uses) => uses.Any(UsesIncluded) ? this : source.ForUse(uses);

    public override QueryOperator<T> Where(Expression<Func<T, bool>> predicate) => UsesIncluded(predicate) ? base.Where(predicate) : With(source.Where(predicate));

    public override QueryOperator<TResult> Select<TResult>(Expression<Func<T, TResult>> selector) => UsesIncluded(selector) ? base.Select(selector) : source.Select(selector);

    public override OrderedOperator<T> OrderBy(IReadOnlyList<Ordering<T>> orderings) =>
        orderings.Any(ordering => UsesIncluded(ordering.KeySelector)) ? base.OrderBy(orderings) : With(source.OrderBy(orderings));

    public override OrderedOperator<T> ThenBy(Ordering<T> ordering) => !UsesIncluded(ordering.KeySelector) && source is OrderedOperator<T> ordered
        ? With(ordered.ThenBy(ordering))
        : base.OrderBy([.. Orderings, ordering]);

    public override QueryOperator<T> Bounded(T entity, bool isBefore) => With(source.Bounded(entity, isBefore));

    public override QueryOperator<T> Skip(int count) => With(source.Skip(count));

    public override QueryOperator<T> Take(int count) => With(source.Take(count));

    public override QueryOperator<T> Reverse() => With(source.Reverse());

    public override OrderedOperator<T> Include(Inclusion<T> inclusion) => new IncludeOperator<T>(source, Inclusion<T>.Merge(inclusions, inclusion));

    // The key may use the included entities, so nothing is refused.
    public override void RefuseOpaque(LambdaExpression key)
    {
    }

    public override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) => NeedsSnapshot(readsRelated: true)
        ? OnSnapshotAsync(query => query.RunAsync(cancellationToken), cancellationToken)
        : Inclusion<T>.LoadAsync(source.RunAsync(cancellationToken), Root, inclusions, cancellationToken);

    IncludeOperator<T> With(QueryOperator<T> other) => new(other, inclusions);

    bool UsesIncluded(LambdaExpression use) => UsesIncluded(ItemExpression.Of(use));

    bool UsesIncluded(ItemExpression use) => WholeEntitySearch.IsUsedIn(Entities!.Model, use);
}
