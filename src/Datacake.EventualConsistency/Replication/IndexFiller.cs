using Datacake.Crdt;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The building and removal of indexes: adds the documents that existed before an index, and removes the entries of dropped indexes. Both
/// work in steps of bounded size, each within one batch.
/// </summary>
static class IndexFiller
{
    const int MaxDocumentsPerStep = 2_000;
    const int MaxEntriesPerStep = 10_000;
    const int MaxBytesPerStep = 4 * 1024 * 1024;

    /// <summary>
    /// Builds and removes the next parts of the indexes of all keyspaces. While the storage has no room, it also writes the state, so that
    /// the commit shows whether there is room again.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="catalog">The keyspaces.</param>
    /// <param name="storageFailure">The error of the last commit that the storage refused, or null if it accepted the last one.</param>
    /// <param name="logger">The log.</param>
    /// <param name="cancellationToken">Cancels the work.</param>
    /// <returns>True if there is more to do at once.</returns>
    public static async ValueTask<bool> StepAsync(
        ReplicaBatch batch, KeyspaceCatalog catalog, Exception? storageFailure, ILogger logger, CancellationToken cancellationToken)
    {
        batch.MustWriteState |= storageFailure is StorageException { Error: StorageError.Full };
        bool hasMore = false;
        foreach (var keyspace in catalog.All)
        {
            hasMore |= await BuildAsync(batch, keyspace, logger, cancellationToken).ConfigureAwait(false);
            hasMore |= await RemoveDroppedAsync(batch, keyspace, cancellationToken).ConfigureAwait(false);
        }
        return hasMore;
    }

    /// <summary>Adds the next documents of a keyspace to one of its indexes that is not built yet.</summary>
    /// <returns>True if there was such an index.</returns>
    public static async ValueTask<bool> BuildAsync(ReplicaBatch batch, KeyspaceEntry keyspace, ILogger logger, CancellationToken cancellationToken)
    {
        var state = batch.FindChange(keyspace)?.State ?? keyspace.State;
        if (state.Indexes.FirstOrDefault(index => state.IndexRecords[index.Number].Stage == IndexStage.Building) is not { } index)
            return false;
        var record = state.IndexRecords[index.Number];
        var change = batch.Change(keyspace);
        var next = await BuildAsync(batch, change, index, record, cancellationToken).ConfigureAwait(false);
        change.State = change.State with { IndexRecords = change.State.IndexRecords.SetItem(index.Number, next) };
        if (record.BuiltTo.IsEmpty && next.Stage == IndexStage.Building)
            StoreLog.IndexFilling(logger, index.Definition.Name, keyspace.Name, state.Record.Count);
        else if (!record.BuiltTo.IsEmpty && next.Stage == IndexStage.Built)
            StoreLog.IndexBuilt(logger, index.Definition.Name, keyspace.Name, next.Documents);
        return true;
    }

    /// <summary>
    /// Removes the next entries of an index that was dropped by an earlier batch: readers use the index until that batch is committed.
    /// </summary>
    /// <returns>True if there was such an index.</returns>
    static async ValueTask<bool> RemoveDroppedAsync(ReplicaBatch batch, KeyspaceEntry keyspace, CancellationToken cancellationToken)
    {
        var (number, record) = keyspace.State.IndexRecords.FirstOrDefault(index => index.Value.Stage == IndexStage.Dropped);
        if (record is null)
            return false;
        int removed = 0;
        await foreach (var key in batch.Snapshot.ReadKeysAsync(StoreLayout.IndexEntries(number), cancellationToken).ConfigureAwait(false))
        {
            if (removed++ == MaxEntriesPerStep)
                return true;
            batch.Extra.Delete(key.ToArray());
        }
        var change = batch.Change(keyspace);
        change.State = change.State with { IndexRecords = change.State.IndexRecords.Remove(number) };
        return true;
    }

    static async ValueTask<IndexRecord> BuildAsync(
        ReplicaBatch batch, KeyspaceChange change, IndexEntrySet index, IndexRecord record, CancellationToken cancellationToken)
    {
        var range = StoreLayout.Documents(change.Keyspace.Number);
        if (!record.BuiltTo.IsEmpty)
            range = range.After(record.BuiltTo);
        if (batch.IsWiped)
            range = range with { End = range.Start };
        var last = ReadOnlyMemory<byte>.Empty;
        var values = new IndexValues();
        int documents = 0, bytes = 0;
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(range, cancellationToken).ConfigureAwait(false))
        {
            if (documents == MaxDocumentsPerStep || bytes > MaxBytesPerStep)
                return record with { BuiltTo = last.ToArray(), Documents = record.Documents + documents };
            // If the batch also changes a document, that change is applied after these entries and corrects them.
            var document = DocumentRecord.Parse(key, value);
            if (document.IsAlive(change.State.Record.Policy))
                index.Add(batch.BuiltEntries, batch.Memory, values, key.Span[StoreLayout.DocumentPrefixLength..], document);
            documents++;
            bytes += value.Length;
            last = key;
        }
        return record with { Stage = IndexStage.Built, BuiltTo = default, Documents = record.Documents + documents };
    }
}
