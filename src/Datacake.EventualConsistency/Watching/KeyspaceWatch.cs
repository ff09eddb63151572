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

    /// <summary>The number of missed documents after which the position is advanced, so that a durable reader of many need not begin again. Other readers take them all at once, because the log may not be there for a later part.</summary>
    const int MaxMissedKeys = 20_000;

    bool _isBehind;

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
        _isBehind = isBehind;
        yield return new DocumentChanges([], position, HasGap: false);
        while (true)
        {
            while (_isBehind)
            {
                // Called before the store is read, so some changes may be delivered twice, but none is missed.
                bool hasLostExpiry = watcher.StartOver();
                if (hasLostExpiry)
                    yield return new DocumentChanges([], position, HasGap: true) { IsExpiry = true };
                await foreach (var missed in MissedAsync(position, cancellationToken).ConfigureAwait(false))
                {
                    position = missed.Position;
                    if (missed.HasGap || missed.Changes.Count > 0)
                        yield return missed;
                }
            }
            var next = await watcher.ReadAsync(cancellationToken).ConfigureAwait(false);
            _isBehind = next is null;
            if (next is null || (position.Covers(next.Position) && !next.IsExpiry))
                continue;
            position = next.Position;
            yield return next;
        }
    }

    /// <summary>
    /// Returns the changes that the store has beyond a position, or the older ones of them if they are many. Only the last part has the position that is then reached.
    /// </summary>
    async IAsyncEnumerable<DocumentChanges> MissedAsync(WatchPosition position, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        WatchPosition reached;
        StorageKey[] keys;
        using (var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false))
        {
            var state = await Replica.ReadStateAsync(snapshot, cancellationToken).ConfigureAwait(false);
            reached = new WatchPosition(state.Known);
            _isBehind = false;
            if (!position.Known!.Covers(state.Truncated))
            {
                yield return new DocumentChanges([], reached, HasGap: true);
                yield break;
            }
            var missed = state.Known.Except(position.Known);
            var (changed, read) = await ChangedKeysAsync(snapshot, missed, cancellationToken).ConfigureAwait(false);
            keys = [.. changed];
            if (!ReferenceEquals(read, missed))
            {
                // What this store does not know of the position is delivered once it arrives, because it may merge with what has been delivered here.
                reached = new WatchPosition(position.Known.Intersect(state.Known).Union(read));
                _isBehind = true;
            }
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

    /// <summary>Returns the documents that missed transactions have changed, and these transactions: all of them, or the older ones if the documents are many.</summary>
    async ValueTask<(HashSet<StorageKey> Keys, VersionVector Read)> ChangedKeysAsync(
        IStorageSnapshot snapshot, VersionVector missed, CancellationToken cancellationToken)
    {
        var keys = new HashSet<StorageKey>();
        if (missed.IsEmpty || catalog.Find(watcher.Keyspace) is not { } keyspace)
            return (keys, missed);
        var first = HlcTimestamp.None;
        await foreach (var transaction in TransactionLog.ReadAsync(snapshot, missed, cancellationToken).ConfigureAwait(false))
        {
            if (first.IsNone)
                first = transaction.Stamp;
            // Records overlap, so a later one may have a transaction that is older by the span of a record.
            var complete = new HlcTimestamp(transaction.Stamp.Packed - Math.Min(transaction.Stamp.Packed, LogRecord.MaxSpan + 1));
            if (watcher.IsDurable && keys.Count >= MaxMissedKeys && complete >= first)
                return (keys, missed.Between(HlcTimestamp.None, complete));
            foreach (var key in transaction.DocumentKeys)
            {
                if (StoreLayout.KeyspaceOf(key.Span) == keyspace.Number)
                    keys.Add(new StorageKey(key));
            }
        }
        return (keys, missed);
    }
}
