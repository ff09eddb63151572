using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>Another member's copy of a document, and the known set of that member when it was asked.</summary>
readonly record struct DocumentAnswer(VersionVector Known, Document Document);

/// <summary>
/// The part of a replica that repairs damaged records [R18]: a document from the copies of other members, a log record from the documents,
/// and an index by rebuilding it. Everything else that is stored is also in memory, and is written again.
/// </summary>
/// <remarks>
/// <para>
/// The copies of other members are as good as the damaged document if these members know every transaction that the log names for it. What
/// they do not know yet is lost with the record, unless an absent member has it. So all members must answer before anything is given up.
/// </para>
/// <para>
/// Counts, fingerprints and index entries follow from the difference that a write makes to a document. The content of the damaged document
/// is unknown, so they are recomputed once all documents of the keyspace are intact. Until then, the record of the keyspace is marked with
/// <see cref="KeyspaceRecord.MustCount"/>.
/// </para>
/// <para>
/// The other members may know more than this replica, so that a repaired document may show transactions that this replica has not claimed
/// yet. The keyspace is not recounted until they are claimed, and the replica must not answer pulls until the keyspace is recounted. See
/// PROTOCOL.md: repair.
/// </para>
/// </remarks>
sealed class RecordRepairer(KeyspaceCatalog catalog)
{
    /// <summary>Gets the keyspaces that must be recounted and reindexed.</summary>
    public IEnumerable<KeyspaceEntry> Uncounted => catalog.All.Where(static keyspace => keyspace.State.Record.MustCount);

    /// <summary>
    /// Replaces a damaged document with the merged copies of other members, unless these lack something that another member may still have.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="documentKey">The storage key of the document.</param>
    /// <param name="answers">The copies of other members.</param>
    /// <param name="isFinal">True if no other member can be asked, so that anything missing is lost.</param>
    /// <returns>
    /// The transactions whose effects are missing; null if the document was left as it is, because another member may still have them.
    /// </returns>
    public async ValueTask<IReadOnlyList<HlcTimestamp>?> RepairDocumentAsync(
        ReplicaBatch batch, ReadOnlyMemory<byte> documentKey, IReadOnlyList<DocumentAnswer> answers, bool isFinal)
    {
        var document = Document.Nothing;
        var known = VersionVector.Empty;
        foreach (var answer in answers)
        {
            document = Document.Merge(document, answer.Document);
            known = known.Union(answer.Known);
        }
        var missing = new List<HlcTimestamp>();
        var unsure = batch.State.Known.Except(batch.Truncated).Except(known);
        if (!unsure.IsEmpty)
        {
            await foreach (var transaction in TransactionLog.ReadAsync(batch.Snapshot, unsure, CancellationToken.None).ConfigureAwait(false))
            {
                if (Array.Exists(transaction.DocumentKeys, key => key.Span.SequenceEqual(documentKey.Span)))
                    missing.Add(transaction.Stamp);
            }
        }
        if (answers.Count == 0 || (missing.Count > 0 && !isFinal))
            return null;
        batch.Repair(documentKey, DocumentPurge.Apply(document, batch.Truncated, batch.PolicyOf(documentKey)));
        MustCount(batch, catalog[StoreLayout.KeyspaceOf(documentKey.Span)]);
        return missing;
    }

    /// <summary>
    /// Moves a record back to the key that it had before a bit of the key flipped, unless something has been written there. Nothing else
    /// changes: counts, fingerprints and index entries still match the record.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="key">The damaged key of the record.</param>
    /// <param name="original">The record with its correct key.</param>
    /// <param name="hasOthers">True if other members may have the record.</param>
    /// <returns>
    /// False if the record was removed instead: its document may have been deleted and purged unnoticed, so that the other members must be
    /// asked.
    /// </returns>
    public async ValueTask<bool> RestoreKeyAsync(ReplicaBatch batch, ReadOnlyMemory<byte> key, StorageEntry original, bool hasOthers)
    {
        if (batch.FindRead(original.Key) is not null || await batch.Snapshot.GetAsync(original.Key).ConfigureAwait(false) is not null)
            return true;
        batch.Extra.Delete(key);
        if (!StoreLayout.IsDocumentKey(original.Key.Span) || FindKeyspace(original.Key.Span) is not { } keyspace)
        {
            batch.Extra.Put(original.Key, original.Value);
            return true;
        }
        var document = DocumentRecord.Parse(original.Key, original.Value);
        if (hasOthers && document.IsWithin(batch.Truncated) && DocumentPurge.MarkOf(document) <= batch.State.Purged)
        {
            MustCount(batch, keyspace);
            return false;
        }
        batch.Repair(original.Key, document);
        return true;
    }

    /// <summary>Returns the keyspace of a document's key, or null if the keyspace does not exist or is removed.</summary>
    public KeyspaceEntry? FindKeyspace(ReadOnlySpan<byte> documentKey) =>
        catalog.FindByNumber(StoreLayout.KeyspaceOf(documentKey)) is { State.Record.IsRemoved: false } keyspace ? keyspace : null;

    /// <summary>
    /// Removes a damaged log record, and adds what the log lacks: the transactions that documents show and that are not truncated. A
    /// transaction of which no document shows anything is superseded by others, which are in the log themselves or known to all members.
    /// </summary>
    public static async ValueTask RepairLogAsync(ReplicaBatch batch, ReadOnlyMemory<byte> logKey)
    {
        var logged = await ReadLoggedAsync(batch.Snapshot).ConfigureAwait(false);
        // Another record may be repaired in the same batch. Adding its transactions twice would store two records under the same key, and
        // the second would replace the first, which may also contain newer transactions.
        logged.UnionWith(batch.AddedLog);
        var missing = new SortedDictionary<HlcTimestamp, List<ReadOnlyMemory<byte>>>();
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.AllDocuments).ConfigureAwait(false))
        {
            var document = DocumentRecord.View(key.Span, value.Span);
            Note(document.Born, key);
            Note(document.Touched, key);
            Note(document.Died, key);
            foreach (var cell in document.Cells)
                Note(cell.Stamp, key);
        }
        batch.Extra.Delete(logKey);
        foreach (var (stamp, keys) in missing)
            batch.AddLog(new LogTransaction(stamp, [.. keys]));

        void Note(HlcTimestamp stamp, ReadOnlyMemory<byte> key)
        {
            if (stamp.IsNone || logged.Contains(stamp) || batch.Truncated.Contains(stamp) || !batch.Before.Known.Contains(stamp))
                return;
            if (!missing.TryGetValue(stamp, out var keys))
                missing.Add(stamp, keys = []);
            if (keys.Count == 0 || !keys[^1].Span.SequenceEqual(key.Span))
                keys.Add(key.ToArray());
        }
    }

    /// <summary>
    /// Removes a damaged record whose key is not valid in a store: the key was damaged, so that an unknown record has vanished. Therefore
    /// the log is completed, and all keyspaces are recounted and reindexed. Missing documents show in the fingerprints.
    /// </summary>
    public async ValueTask RepairUnknownAsync(ReplicaBatch batch, ReadOnlyMemory<byte> key)
    {
        await RepairLogAsync(batch, key).ConfigureAwait(false);
        foreach (var keyspace in catalog.All)
            MustCount(batch, keyspace);
    }

    /// <summary>Returns the transactions in the log, except those of its damaged records.</summary>
    static async ValueTask<HashSet<HlcTimestamp>> ReadLoggedAsync(IStorageSnapshot snapshot)
    {
        var logged = new HashSet<HlcTimestamp>();
        await foreach (var key in snapshot.ReadKeysAsync(StoreLayout.AllLog).ConfigureAwait(false))
        {
            try
            {
                if (StoreLayout.IsLogKey(key.Span) && await snapshot.GetAsync(key).ConfigureAwait(false) is { } value)
                    logged.UnionWith(LogRecord.Decode(StoreLayout.StampOfLogKey(key.Span), value).Transactions.Select(transaction => transaction.Stamp));
            }
            catch (StorageException e) when (e.Error == StorageError.Corrupt)
            {
                // The record is repaired in its turn.
            }
        }
        return logged;
    }

    /// <summary>
    /// Removes an index that has a damaged entry, and rebuilds it if it is declared. Returns false if there is no such index.
    /// </summary>
    public bool RepairIndex(Replica replica, ReplicaBatch batch, ReadOnlyMemory<byte> entryKey)
    {
        ushort number = StoreLayout.NumberOf(entryKey.Span);
        if (catalog.All.FirstOrDefault(keyspace => keyspace.State.IndexRecords.ContainsKey(number)) is not { } indexed)
            return false;
        batch.Extra.Delete(entryKey);
        KeyspaceDeclarer.RebuildIndex(replica, batch, batch.Change(indexed), number);
        return true;
    }

    /// <summary>Marks a keyspace to be recounted and reindexed, by this process or a later one.</summary>
    public static void MustCount(ReplicaBatch batch, KeyspaceEntry keyspace)
    {
        var change = batch.Change(keyspace);
        change.State = change.State with { Record = change.State.Record with { MustCount = true } };
    }

    /// <summary>
    /// Recounts and reindexes a keyspace with repaired documents, unless one of them shows transactions that are not known here yet.
    /// </summary>
    /// <exception cref="StorageException">A document of the keyspace is damaged. The batch is unchanged.</exception>
    public static async ValueTask CountAgainAsync(Replica replica, ReplicaBatch batch, KeyspaceEntry keyspace, CancellationToken cancellationToken)
    {
        var change = batch.Change(keyspace);
        await KeyspaceDeclarer.CountAgainAsync(replica, batch, change, change.State.Record.Policy, cancellationToken, isRepaired: true).ConfigureAwait(false);
    }
}
