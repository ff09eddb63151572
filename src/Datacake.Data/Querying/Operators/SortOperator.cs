using System.Linq.Expressions;
using Datacake.Data.Querying.Related;

namespace Datacake.Data.Querying.Operators;

/// <summary>The results of a query, sorted in memory.</summary>
sealed class SortOperator<T>(QueryOperator<T> source, IReadOnlyList<Ordering<T>> orderings) : OrderedOperator<T>
{
    public override QueryOperator<T> With(Func<QuerySettings, QuerySettings> change) => new SortOperator<T>(source.With(change), orderings);

    public override QueryOperator<T> ForUse(IReadOnlyList<ItemExpression> uses) =>
        new SortOperator<T>(source.ForUse([.. uses, .. orderings.Select(ordering => ItemExpression.Of(ordering.KeySelector))]), orderings);

    public override string Explain() => $"{source.Explain()}; order by {string.Join(", ", orderings)} in memory";

    public override QuerySource Root => source.Root;

    public override QuerySource? Entities => source.Entities;

    public override IReadOnlyList<Ordering<T>> Orderings => orderings;

    public override void RefuseOpaque(LambdaExpression key) => source.RefuseOpaque(key);

    public override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) =>
        !orderings.Any(ordering => UsesRelated(ordering.KeySelector)) ? Batches.Sort(source.RunAsync(cancellationToken), orderings)
            : NeedsSnapshot(readsRelated: true) ? OnSnapshotAsync(query => query.RunAsync(cancellationToken), cancellationToken)
            : RelatedSteps.Sort(source.RunAsync(cancellationToken), Root, orderings, cancellationToken);

    public override QueryOperator<T> Skip(int count) => new TopOperator<T>(source, orderings, count, take: null);

    public override QueryOperator<T> Take(int count) => new TopOperator<T>(source, orderings, skip: 0, count);

    public override OrderedOperator<T> ThenBy(Ordering<T> ordering) => new SortOperator<T>(source, [.. orderings, ordering]);
}
