using Datacake.Data.Querying.Operators;
using Datacake.Data.Querying.Related;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying;

/// <summary>The results of a query, sorted in memory.</summary>
sealed class SortedQuery<T>(Query<T> source, IReadOnlyList<Ordering<T>> orderings) : OrderedQuery<T>
{
    internal override Query<T> With(Func<QuerySettings, QuerySettings> change) => new SortedQuery<T>(source.With(change), orderings);

    internal override ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken) => source.OpenSnapshotAsync(cancellationToken);

    internal override Query<T> ForUse(IReadOnlyList<ItemExpression> uses) =>
        new SortedQuery<T>(source.ForUse([.. uses, .. orderings.Select(ordering => ItemExpression.Of(ordering.KeySelector))]), orderings);

    public override string Explain() => $"{source.Explain()}; order by {string.Join(", ", orderings)} in memory";

    internal override QuerySource Root => source.Root;

    internal override IReadOnlyList<Ordering<T>> Orderings => orderings;

    internal override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) =>
        orderings.Any(ordering => UsesRelated(ordering.KeySelector))
            ? RelatedSteps.Sort(source.RunAsync(cancellationToken), Root, orderings, cancellationToken)
            : Batches.Sort(source.RunAsync(cancellationToken), orderings);

    internal override OrderedQuery<T> ThenByCore(Ordering<T> ordering) => new SortedQuery<T>(source, [.. orderings, ordering]);
}
