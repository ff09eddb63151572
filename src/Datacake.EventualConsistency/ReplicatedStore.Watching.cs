using System.Runtime.CompilerServices;
using Datacake.EventualConsistency.Watching;

namespace Datacake.EventualConsistency;

public sealed partial class ReplicatedStore
{
    /// <summary>Returns the changes of a keyspace; see <see cref="KeyspaceHandle.WatchAsync"/>.</summary>
    internal IAsyncEnumerable<DocumentChanges> WatchAsync(string keyspace, WatchPosition after, CancellationToken cancellationToken) =>
        WatchAsync(keyspace, after, Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>
    /// Returns the changes of a keyspace, and an empty batch with the position that the store has reached when there were no changes for a time and it has moved.
    /// </summary>
    internal async IAsyncEnumerable<DocumentChanges> WatchAsync(
        string keyspace, WatchPosition after, TimeSpan progressInterval, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A store that has not joined is about to receive the data of another one.
        await WaitUntilJoinedAsync(cancellationToken).ConfigureAwait(false);
        var watcher = new StoreWatcher(keyspace, _options.MaxWatchBufferLength, progressInterval, _node.TimeProvider);
        _parts.Watchers.Add(watcher);
        try
        {
            bool isNow = after.Known is null;
            var start = isNow ? new WatchPosition(_membership.Current.Known) : after;
            var watch = new KeyspaceWatch(watcher, _parts.Context.Storage, _replica.Catalog, _node.Clock);
            await foreach (var changes in watch.ReadAsync(start, isBehind: !isNow, cancellationToken).ConfigureAwait(false))
                yield return changes;
        }
        finally
        {
            _parts.Watchers.Remove(watcher);
        }
    }
}
