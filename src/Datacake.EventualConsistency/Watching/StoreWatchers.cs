using System.Collections.Immutable;
using Datacake.Crdt;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;

namespace Datacake.EventualConsistency.Watching;

/// <summary>The watchers of a store, which receive what each commit changes for readers. Thread-safe.</summary>
sealed class StoreWatchers(KeyspaceCatalog catalog)
{
    readonly Lock _lock = new();
    ImmutableArray<StoreWatcher> _watchers = [];            // replaced under the lock
    bool _isClosed;                                         // under the lock

    public void Add(StoreWatcher watcher)
    {
        lock (_lock)
        {
            if (_isClosed)
                throw CommitLoop.Closed();
            _watchers = _watchers.Add(watcher);
        }
    }

    public void Remove(StoreWatcher watcher)
    {
        lock (_lock)
            _watchers = _watchers.Remove(watcher);
    }

    /// <summary>Closes all watchers, because the store is closing.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            foreach (var watcher in _watchers)
                watcher.Close();
        }
    }

    /// <summary>Delivers the changes of a committed batch to the watchers. Called on the commit loop.</summary>
    public void Publish(ReplicaBatch batch)
    {
        ImmutableArray<StoreWatcher> watchers;
        lock (_lock)
            watchers = _watchers;
        if (watchers.IsEmpty)
            return;
        if (batch.IsWiped)
        {
            foreach (var watcher in watchers)
                watcher.PostGap();
            return;
        }
        var position = new WatchPosition(batch.State.Known);
        foreach (var ofKeyspace in watchers.GroupBy(watcher => watcher.Keyspace, StringComparer.Ordinal))
        {
            var (changes, expired) = catalog.Find(ofKeyspace.Key) is { } keyspace ? ChangesOf(batch, keyspace) : ([], []);
            foreach (var watcher in ofKeyspace)
            {
                if (changes.Count > 0)
                    watcher.Post(new DocumentChanges(changes, position, HasGap: false));
                // The log does not have them, and the position does not tell whether a watch has seen them.
                if (expired.Count > 0)
                    watcher.Post(new DocumentChanges(expired, position, HasGap: false) { IsExpiry = true });
                watcher.Advance(position);
            }
        }
    }

    /// <summary>Returns the changes by transactions, and those documents that were removed because they have expired.</summary>
    static (List<DocumentChange> Changes, List<DocumentChange> Expired) ChangesOf(ReplicaBatch batch, KeyspaceEntry keyspace)
    {
        List<DocumentChange> changes = [], expired = [];
        foreach (var (storageKey, before, after) in batch.Documents)
        {
            if (StoreLayout.KeyspaceOf(storageKey.Span) != keyspace.Number)
                continue;
            // Copied, because watchers keep the key for longer than the batch does.
            byte[] key = storageKey.Span[StoreLayout.DocumentPrefixLength..].ToArray();
            var old = before.IsAlive(keyspace.Policy) ? before : null;
            var @new = after.IsAliveAt(batch.Now, keyspace.Policy) ? after : null;
            // The document is copied for the same reason: it may be part of a received message, which is larger.
            if (!IsSame(key, old, @new))
            {
                bool isExpiry = old is not null && old.View.HasExpired(batch.Now) && (after.IsLapsed || ReferenceEquals(after, Document.Nothing));
                (isExpiry ? expired : changes).Add(
                    new DocumentChange(new DocumentKey(key), old, @new is null ? null : Document.Parse(@new.Encoded.ToArray()), IsBeforeKnown: true));
            }
        }
        return (changes, expired);
    }

    /// <summary>Returns true if readers see no difference. What is purged from a live document was no longer shown.</summary>
    static bool IsSame(ReadOnlySpan<byte> key, Document? before, Document? after)
    {
        if (before is null || after is null || ReferenceEquals(before, after))
            return ReferenceEquals(before, after);
        return before.Newest == after.Newest && Fingerprint.OfShown(key, before) == Fingerprint.OfShown(key, after);
    }
}
