using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Watching;

/// <summary>
/// One watch of a keyspace. It delivers what is committed while it runs and, with the help of the transaction log, what it missed before.
/// </summary>
sealed class KeyspaceWatch(StoreWatcher watcher, IStorage storage, KeyspaceCatalog catalog, HybridLogicalClock clock)
{
    const int PageSize = 500;

    /// <summary>Returns the changes after a position, beginning with an empty batch that has the position.</summary>
    /// <param name="after">The position.</param>
    /// <param name="isBehind">
    /// True if there may be changes after the position that were committed before the watcher began to collect changes.
    /// </param>
    /// <param name="cancellationToken">Ends the watch.</param>
    public async IAsyncEnumerable<DocumentChanges> ReadAsync(
        WatchPosition after, bool isBehind, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var position = after;
        yield return new DocumentChanges([], position, HasGap: false);
        while (true)
        {
            if (isBehind)
            {
                // Called before the store is read, so some changes may be delivered twice, but none is missed.
                bool hasLostExpiry = watcher.StartOver();
                if (hasLostExpiry)
                    yield return new DocumentChanges([], position, HasGap: true);
                await foreach (var missed in MissedAsync(position, cancellationToken).ConfigureAwait(false))
                {
                    position = missed.Position;
                    if (missed.HasGap || missed.Changes.Count > 0)
                        yield return missed;
                }
            }
            var next = await watcher.ReadAsync(cancellationToken).ConfigureAwait(false);
            isBehind = next is null;
            if (next is null || (position.Covers(next.Position) && !next.IsExpiry))
                continue;
            position = next.Position;
            yield return next;
        }
    }

    /// <summary>
    /// Returns the changes that the store has beyond a position. Only the last part has the position that is then reached.
    /// </summary>
    async IAsyncEnumerable<DocumentChanges> MissedAsync(WatchPosition position, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        WatchPosition reached;
        StorageKey[] keys;
        using (var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false))
        {
            var state = await Replica.ReadStateAsync(snapshot, cancellationToken).ConfigureAwait(false);
            reached = new WatchPosition(state.Known);
            if (!position.Known!.Covers(state.Truncated))
            {
                yield return new DocumentChanges([], reached, HasGap: true);
                yield break;
            }
            keys = [.. await ChangedKeysAsync(snapshot, state.Known.Except(position.Known), cancellationToken).ConfigureAwait(false)];
        }
        for (int start = 0; start < keys.Length; start += PageSize)
        {
            var changes = await ReadAsync(keys.AsMemory(start, Math.Min(PageSize, keys.Length - start)), cancellationToken).ConfigureAwait(false);
            bool isLast = start + PageSize >= keys.Length;
            yield return new DocumentChanges(changes, isLast ? reached : position, HasGap: false);
        }
        if (keys.Length == 0)
            yield return new DocumentChanges([], reached, HasGap: false);
    }

    /// <summary>
    /// Returns documents as they are at present. Opens its own snapshot, because the caller may take long with each part, and a snapshot
    /// must not stay open for that long.
    /// </summary>
    async ValueTask<List<DocumentChange>> ReadAsync(ReadOnlyMemory<StorageKey> keys, CancellationToken cancellationToken)
    {
        var changes = new List<DocumentChange>(keys.Length);
        using var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        for (int i = 0; i < keys.Length; i++)
        {
            var key = keys.Span[i].Bytes;
            var document = await DocumentRecord.ReadAsync(snapshot, key).ConfigureAwait(false);
            bool isShown = document.IsAliveAt(clock.Wall, catalog[StoreLayout.KeyspaceOf(key.Span)].Policy);
            changes.Add(new DocumentChange(
                new DocumentKey(key[StoreLayout.DocumentPrefixLength..]), null, isShown ? document : null, IsBeforeKnown: false));
        }
        return changes;
    }

    async ValueTask<HashSet<StorageKey>> ChangedKeysAsync(IStorageSnapshot snapshot, VersionVector missed, CancellationToken cancellationToken)
    {
        var keys = new HashSet<StorageKey>();
        if (missed.IsEmpty || catalog.Find(watcher.Keyspace) is not { } keyspace)
            return keys;
        await foreach (var transaction in TransactionLog.ReadAsync(snapshot, missed, cancellationToken).ConfigureAwait(false))
        {
            foreach (var key in transaction.DocumentKeys)
            {
                if (StoreLayout.KeyspaceOf(key.Span) == keyspace.Number)
                    keys.Add(new StorageKey(key));
            }
        }
        return keys;
    }
}
