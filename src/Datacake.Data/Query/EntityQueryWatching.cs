using System.Runtime.CompilerServices;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

// Live results.
sealed partial class EntityQuery<T>
{
    internal override IAsyncEnumerable<EntityChanges<T>> WatchCore(WatchPosition? after, CancellationToken cancellationToken)
    {
        if (settings.Level is not null)
            throw new InvalidOperationException("A query that is watched gets what others write as it arrives, and has no consistency level: leave out WithConsistency.");
        if (after is not null && spec.IsCut)
        {
            throw new InvalidOperationException(
                "What Skip and Take leave out depends on all results, so such a query is watched from its current results on: call WatchAsync() "
                + "without a position.");
        }
        if (NewRun().UsesRelated)
        {
            throw new InvalidOperationException(
                "A watch follows the entities of one keyspace, and this query says something of related ones, whose changes it would miss. Leave that out, and look at the related entities of what comes.");
        }
        return WatchAsync(NewRun(), after, cancellationToken);
    }

    async IAsyncEnumerable<EntityChanges<T>> WatchAsync(
        QueryRun<T> run, WatchPosition? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var store = await source.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        var watch = new QueryWatch<T>(store, source.Metadata, source.Model, run, spec.IsCut);
        var changes = after is null ? watch.ReadAsync(cancellationToken) : watch.FollowAsync(after, cancellationToken);
        await foreach (var batch in changes.ConfigureAwait(false))
            yield return batch;
    }
}
