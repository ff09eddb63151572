using System.Runtime.CompilerServices;
using Datacake.Data.Diagnostics;
using Datacake.Data.Querying.Watching;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

// Live results.
sealed partial class EntityOperator<T>
{
    public override IAsyncEnumerable<EntityChanges<T>> WatchAsync(WatchPosition? after, CancellationToken cancellationToken)
    {
        source.Context.ThrowIfInWork("WatchAsync reads on after the save, and is not checked by it", "Nothing was read.");
        if (spec.Inclusions.Count > 0)
            return base.WatchAsync(after, cancellationToken);
        if (settings.Level is not null)
            throw new InvalidOperationException(
                "A watched query receives the writes of others as they arrive, so it cannot have a consistency level. Remove WithConsistency.");
        if (after is not null && spec.IsCut)
        {
            throw new InvalidOperationException(
                "The results of a query with Skip or Take depend on all matching entities, so it can only be watched from its current results on. "
                + "Call WatchAsync() without a position.");
        }
        if (NewRun().UsesRelated)
        {
            throw new InvalidOperationException(
                "A watched query follows the entities of one keyspace, and would miss changes to the related entities that this query uses. "
                + "Remove them from the query, and check the related entities of each change that arrives.");
        }
        return WatchAsync(NewRun(), after, cancellationToken);
    }

    async IAsyncEnumerable<EntityChanges<T>> WatchAsync(
        QueryRun<T> run, WatchPosition? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A work may have begun since the call.
        source.Context.ThrowIfInWork("WatchAsync reads on after the save, and is not checked by it", "Nothing was read.");
        var store = await source.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        var watch = new QueryWatch<T>(store, source.Metadata, source.Model, run, spec.IsCut);
        var changes = after is null ? watch.ReadAsync(cancellationToken) : watch.FollowAsync(after, cancellationToken);
        DataTelemetry.Watching(source.Name, 1);
        try
        {
            await foreach (var batch in changes.ConfigureAwait(false))
                yield return batch;
        }
        finally
        {
            DataTelemetry.Watching(source.Name, -1);
        }
    }
}
