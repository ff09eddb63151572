using System.Linq.Expressions;
using Datacake.Data.Querying.Related;

namespace Datacake.Data.Querying.Operators;

/// <summary>
/// Some results of a query, from the start of an order. They are sorted in memory, which holds no more results than are skipped and taken.
/// </summary>
/// <param name="source">The query.</param>
/// <param name="orderings">The keys to order by.</param>
/// <param name="skip">The number of results to leave out at the start.</param>
/// <param name="take">The maximum number of results after these; null for all.</param>
sealed class TopOperator<T>(QueryOperator<T> source, IReadOnlyList<Ordering<T>> orderings, int skip, int? take) : QueryOperator<T>
{
    public override QueryOperator<T> With(Func<QuerySettings, QuerySettings> change) => With(source.With(change));

    public override QueryOperator<T> ForUse(IReadOnlyList<ItemExpression> uses) =>
        With(source.ForUse([.. uses, .. orderings.Select(ordering => ItemExpression.Of(ordering.KeySelector))]));

    public override string Explain() =>
        $"{source.Explain()}; order by {string.Join(", ", orderings)} in memory"
        + (take is { } kept ? $", keeping {(IsOfRelated ? "all" : QuerySpec<T>.Sum(skip, kept))}" : "")
        + (skip > 0 ? $"; skip {skip}" : "") + (take is not null ? $"; take {take}" : "");

    public override QuerySource Root => source.Root;

    public override QuerySource? Entities => source.Entities;

    public override void RefuseOpaque(LambdaExpression key) => source.RefuseOpaque(key);

    public override QueryOperator<T> Skip(int count) => take is { } rest
        ? new TopOperator<T>(source, orderings, QuerySpec<T>.Sum(skip, Math.Min(count, rest)), rest - Math.Min(count, rest))
        : new TopOperator<T>(source, orderings, QuerySpec<T>.Sum(skip, count), take: null);

    public override QueryOperator<T> Take(int count) => new TopOperator<T>(source, orderings, skip, Math.Min(take ?? int.MaxValue, count));

    public override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) =>
        NeedsSnapshot(IsOfRelated) ? OnSnapshotAsync(query => query.RunAsync(cancellationToken), cancellationToken)
        : IsOfRelated ? Cut(RelatedSteps.Sort(source.RunAsync(cancellationToken), Root, orderings, cancellationToken))
        // The items that are equal are found among those that are kept.
        : source is DistinctOperator<T> distinct ? Batches.Top(distinct.All.ForDistinct().RunAsync(cancellationToken), orderings, skip, take, isDistinct: true)
        : Batches.Top(source.RunAsync(cancellationToken), orderings, skip, take, isDistinct: false);

    bool IsOfRelated => orderings.Any(ordering => UsesRelated(ordering.KeySelector));

    IAsyncEnumerable<IReadOnlyList<T>> Cut(IAsyncEnumerable<IReadOnlyList<T>> items)
    {
        var rest = skip == 0 ? items : Batches.Skip(items, skip);
        return take is { } count ? Batches.Take(rest, count) : rest;
    }

    TopOperator<T> With(QueryOperator<T> other) => new(other, orderings, skip, take);
}
