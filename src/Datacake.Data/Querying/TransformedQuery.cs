using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying;

/// <summary>The results of a query, transformed in memory.</summary>
sealed class TransformedQuery<TSource, T>(
    Query<TSource> source,
    string description,
    Func<IAsyncEnumerable<IReadOnlyList<TSource>>, IAsyncEnumerable<IReadOnlyList<T>>> transform) : Query<T>
{
    internal override Query<T> With(Func<QuerySettings, QuerySettings> change) => new TransformedQuery<TSource, T>(source.With(change), description, transform);

    internal override ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken) => source.OpenSnapshotAsync(cancellationToken);

    public override string Explain() => $"{source.Explain()}; {description}";

    internal override QuerySource Root => source.Root;

    internal override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) =>
        transform(source.RunAsync(cancellationToken));
}
