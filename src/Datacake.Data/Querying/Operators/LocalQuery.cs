using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying.Operators;

/// <summary>A query over items in memory, to be combined with another query.</summary>
sealed class LocalQuery<T>(IEnumerable<T> items, QuerySource root) : Query<T>
{
    internal override Query<T> With(Func<QuerySettings, QuerySettings> change) => this;

    internal override ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken) => new(result: null);

    public override string Explain() => "local items";

    internal override QuerySource Root => root;

    internal override async IAsyncEnumerable<IReadOnlyList<T>> RunAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        List<T> all = [.. items];
        if (all.Count > 0)
            yield return all;
    }
}
