using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>Another member's copy of a document, and what that member was known to have when it was asked.</summary>
readonly record struct DocumentAnswer(VersionVector Known, Document Document);

/// <summary>
/// The part of a replica that puts something right in the place of a damaged record [R18]: a document from what other members have of it, a log record from the
/// documents, an index by building it again. Everything else that is stored is in memory, too, and is written again.
/// </summary>
/// <remarks>
/// <para>
/// A document of others is as good as the damaged one if they know every transaction that the log names for it. What they do not know yet is lost with the
/// record, unless a member that is away has it: so all members have to answer before it is given up.
/// </para>
/// <para>
/// Counts, fingerprints and index entries follow from the difference that a write makes to a document. What the damaged one was is unknown, so that they are
/// computed anew once all documents of the keyspace are right, which the record of the keyspace says until then.
/// </para>
/// <para>
/// The others may know more, so that the document shows what this replica does not claim yet. Until it does, the keyspace is not counted; and until that is,
/// the replica must not answer pulls.
/// </para>
/// </remarks>
sealed class Mender(KeyspaceCatalog catalog)
{
    /// <summary>Gets the keyspaces that have to be counted and indexed again.</summary>
    public IEnumerable<KeyspaceEntry> Uncounted => catalog.All.Where(static keyspace => keyspace.State.Record.MustCount);

    /// <summary>Puts what others have of a document in its place, unless that lacks something that may still come.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="documentKey">The storage key of the document.</param>
    /// <param name="answers">What other members have.</param>
    /// <param name="isFinal">True if nobody else can be asked: what is missing is lost.</param>
    /// <returns>The transactions of which effects are missing; null if the document is as it was, since these may still come.</returns>
    public async ValueTask<IReadOnlyList<HlcTimestamp>?> MendDocumentAsync(
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
        batch.Mend(documentKey, DocumentPurge.Apply(document, batch.Truncated, batch.PolicyOf(documentKey)));
        MustCount(batch, catalog[StoreLayout.KeyspaceOf(documentKey.Span)]);
        return missing;
    }

    /// <summary>
    /// Puts a record back under the key that it had before a bit of the key flipped, unless something is written there. Nothing else follows from it: counts,
    /// fingerprints and index entries have been those of the record all along.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="key">The key that the record has.</param>
    /// <param name="original">The record with its right key.</param>
    /// <param name="hasOthers">True if other members may have what was there.</param>
    /// <returns>
    /// False if it was removed instead: the document may have been deleted and purged while nobody saw it, so that the others have to say what there is.
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
        batch.Mend(original.Key, document);
        return true;
    }

    /// <summary>Returns the keyspace of a document's key, or null if there is none, or if it is removed.</summary>
    public KeyspaceEntry? FindKeyspace(ReadOnlySpan<byte> documentKey) =>
        catalog.FindByNumber(StoreLayout.KeyspaceOf(documentKey)) is { State.Record.IsRemoved: false } keyspace ? keyspace : null;

    /// <summary>
    /// Removes a damaged record of the log, and adds what the log lacks: the transactions that documents show, and that are not truncated. One of which no
    /// document shows anything any more is superseded by others, which are in the log themselves or known to all.
    /// </summary>
    public static async ValueTask MendLogAsync(ReplicaBatch batch, ReadOnlyMemory<byte> logKey)
    {
        var logged = await ReadLoggedAsync(batch.Snapshot).ConfigureAwait(false);
        // Another record may be mended in the same batch, and a second one under the same key would take the place of the first, with what is written meanwhile.
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
    /// Removes a damaged record that is none of a store, since its key is not what it was: some record has vanished. So the log is completed, everything is
    /// counted and indexed again, and what documents are missing is found by the fingerprints.
    /// </summary>
    public async ValueTask MendUnknownAsync(ReplicaBatch batch, ReadOnlyMemory<byte> key)
    {
        await MendLogAsync(batch, key).ConfigureAwait(false);
        foreach (var keyspace in catalog.All)
            MustCount(batch, keyspace);
    }

    /// <summary>Returns the transactions that the log has, but for its damaged records.</summary>
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
                // It is mended in its turn.
            }
        }
        return logged;
    }

    /// <summary>Removes an index that has a damaged entry, to build it again if it is declared; returns false if there is no such index.</summary>
    public bool MendIndex(Replica replica, ReplicaBatch batch, ReadOnlyMemory<byte> entryKey)
    {
        ushort number = StoreLayout.NumberOf(entryKey.Span);
        if (catalog.All.FirstOrDefault(keyspace => keyspace.State.IndexRecords.ContainsKey(number)) is not { } indexed)
            return false;
        batch.Extra.Delete(entryKey);
        KeyspaceDeclaring.RebuildIndex(replica, batch, batch.Change(indexed), number);
        return true;
    }

    /// <summary>Has a keyspace counted and indexed again, by this process or a later one.</summary>
    public static void MustCount(ReplicaBatch batch, KeyspaceEntry keyspace)
    {
        var change = batch.Change(keyspace);
        change.State = change.State with { Record = change.State.Record with { MustCount = true } };
    }

    /// <summary>Counts and indexes a keyspace again of which documents were mended, unless one of them shows what is not known here yet.</summary>
    /// <exception cref="StorageException">A document of it is damaged; the batch is as before.</exception>
    public static async ValueTask CountAgainAsync(Replica replica, ReplicaBatch batch, KeyspaceEntry keyspace, CancellationToken cancellationToken)
    {
        var change = batch.Change(keyspace);
        await KeyspaceDeclaring.CountAgainAsync(replica, batch, change, change.State.Record.Policy, cancellationToken, isMended: true).ConfigureAwait(false);
    }
}
