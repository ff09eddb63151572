using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// Removes documents that have expired [R20]. No transaction says so, and no peer is told: every replica knows the expiry, and removes the document by its own wall clock.
/// </summary>
/// <remarks>
/// The put of a document that has expired supersedes earlier puts as before, which may still be on their way. So what is left of the document stays until its stamps are
/// truncated, as a tombstone does. Most documents expire long after that, and nothing is left of them. See PROTOCOL.md: lapsed.
/// </remarks>
/// <param name="catalog">The keyspaces of the store.</param>
/// <param name="maxStep">The maximum number of documents that are removed in one batch.</param>
sealed class Expirer(KeyspaceCatalog catalog, int maxStep)
{
    /// <summary>Removes the next documents that have expired.</summary>
    /// <returns>True if there may be more to do at once.</returns>
    public async ValueTask<bool> StepAsync(ReplicaBatch batch)
    {
        // The snapshot lists the documents that the batch is about to remove.
        if (batch.IsWiped)
            return false;
        int left = maxStep;
        foreach (var keyspace in catalog.All)
        {
            foreach (var index in keyspace.State.Indexes)
            {
                if (index.Definition.Name == ExpiryIndex.Name && left > 0)
                    left -= await RemoveAsync(batch, keyspace, index, left).ConfigureAwait(false);
            }
        }
        return left == 0;
    }

    /// <summary>Removes expired documents of a keyspace. Returns the number of documents that were removed.</summary>
    static async ValueTask<int> RemoveAsync(ReplicaBatch batch, KeyspaceEntry keyspace, IndexEntrySet index, int max)
    {
        var range = StoreLayout.Within(StoreLayout.IndexEntries(index.Number), ExpiryIndex.UpTo(batch.Now));
        var entries = await batch.Snapshot.ScanAsync(range, Storage.ScanDirection.Forward, max).ConfigureAwait(false);
        if (entries.Count == 0)
            return 0;
        var keys = new List<ReadOnlyMemory<byte>>(entries.Count);
        foreach (var (entry, length) in entries)
            keys.Add(batch.KeyOf(keyspace, new DocumentKey(entry[^length.Span[0]..])));
        await batch.PrefetchAsync(keys).ConfigureAwait(false);
        int removed = 0;
        foreach (var key in keys)
        {
            var document = await batch.ReadAsync(key).ConfigureAwait(false);
            // A transaction of this batch may have put the document again.
            if (!document.View.HasExpired(batch.Now) || document.IsLapsed)
                continue;
            removed++;
            var lapsed = document.Lapse();
            var left = DocumentPurge.Apply(lapsed, batch.Truncated, keyspace.Policy);
            batch.Write(key, left);
            if (ReferenceEquals(left, Document.Nothing))
                batch.State = batch.State with { Purged = HlcTimestamp.Max(batch.State.Purged, DocumentPurge.MarkOf(document)) };
            else
                await batch.SetMayPurgeAsync(DocumentPurge.OneNotIn(batch.Truncated, lapsed)).ConfigureAwait(false);
        }
        return removed;
    }
}
