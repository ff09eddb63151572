using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

// The repair of damaged records [R18].
sealed partial class Replica
{
    readonly RecordRepairer _repairer;

    /// <inheritdoc cref="RecordRepairer.Uncounted"/>
    public IEnumerable<KeyspaceEntry> Uncounted => _repairer.Uncounted;

    /// <inheritdoc cref="RecordRepairer.RepairDocumentAsync"/>
    /// <exception cref="ClockDriftException">An answer has stamps that are too far ahead.</exception>
    public async ValueTask<IReadOnlyList<HlcTimestamp>?> RepairDocumentAsync(
        ReplicaBatch batch, ReadOnlyMemory<byte> documentKey, IReadOnlyList<DocumentAnswer> answers, bool isFinal)
    {
        // Anything written here from now on must supersede what the document shows, whether or not it is known here.
        foreach (var answer in answers)
        {
            _clock.Observe(answer.Document.Newest);
            _limit.CoverShown(answer.Document.Newest);
        }
        var missing = await _repairer.RepairDocumentAsync(batch, documentKey, answers, isFinal).ConfigureAwait(false);
        // If no member has such a document, the key itself was damaged, and the document with the original key has vanished.
        if (missing is not null && answers.All(static answer => ReferenceEquals(answer.Document, Document.Nothing)))
            SuspectLoss();
        return missing;
    }

    /// <summary>
    /// Returns true if a damaged record is a document of a joined store, which can only be repaired by asking other members.
    /// </summary>
    public bool NeedsAnswers(ReadOnlySpan<byte> key) =>
        IsJoined && StoreLayout.IsDocumentKey(key) && _repairer.FindKeyspace(key) is not null;

    /// <inheritdoc cref="RecordRepairer.RestoreKeyAsync"/>
    public async ValueTask RestoreKeyAsync(ReplicaBatch batch, ReadOnlyMemory<byte> key, StorageEntry original)
    {
        if (!await _repairer.RestoreKeyAsync(batch, key, original, Others.Any()).ConfigureAwait(false))
            SuspectLoss();
    }

    /// <summary>Repairs or removes a damaged record without asking other members.</summary>
    public async ValueTask RepairAsync(ReplicaBatch batch, ReadOnlyMemory<byte> key)
    {
        if (StoreLayout.IsArrivingKey(key.Span))
        {
            batch.Extra.Delete(key);
            _reconciler.OnAbandoned();
        }
        else if (key.Span.SequenceEqual(StoreLayout.IdentityKey.Span))
        {
            Identity.IsDirty = true;
        }
        else if (key.Span.SequenceEqual(StoreLayout.StateKey.Span))
        {
            batch.MustWriteState = true;
        }
        else if (StoreLayout.IsKeyspaceKey(key.Span) && Catalog.FindByNumber(StoreLayout.NumberOf(key.Span)) is { } keyspace)
        {
            batch.Extra.Put(key, batch.Change(keyspace).State.Record.Encode());
        }
        else if (StoreLayout.IsIndexKey(key.Span) && RepairIndexRecord(batch, key))
        {
            // The record was rewritten from memory.
        }
        else if (!IsJoined)
        {
            batch.Extra.Delete(key);
            _seedCopier.GiveUp();
            Unjoin();
            _puller.EndAll();
        }
        else if (StoreLayout.IsLogKey(key.Span))
        {
            await RecordRepairer.RepairLogAsync(batch, key).ConfigureAwait(false);
        }
        else if (StoreLayout.IsIndexEntryKey(key.Span) && _repairer.RepairIndex(this, batch, key))
        {
            // The index is being rebuilt from the documents.
        }
        else if (Sessions.Count > 0)
        {
            // Without a session, the record is left as it is: an operator who repairs the file by hand needs it.
            await _repairer.RepairUnknownAsync(batch, key).ConfigureAwait(false);
            SuspectLoss();
        }
    }

    /// <inheritdoc cref="LossRecovery.Suspicions"/>
    public int SuspectedLosses => _lost.Suspicions;

    /// <summary>
    /// Recounts and reindexes keyspaces whose documents do not match their records, after fetching missing documents from all peers. Skips
    /// keyspaces that are already waiting to be recounted.
    /// </summary>
    public void RepairKeyspaces(ReplicaBatch batch, IEnumerable<KeyspaceEntry> keyspaces)
    {
        var wrong = keyspaces.Where(static keyspace => !keyspace.State.Record.MustCount).ToArray();
        foreach (var keyspace in wrong)
            RecordRepairer.MustCount(batch, keyspace);
        if (wrong.Length > 0)
            SuspectLoss();
    }

    /// <inheritdoc cref="RecordRepairer.CountAgainAsync"/>
    public ValueTask CountAgainAsync(ReplicaBatch batch, KeyspaceEntry keyspace, CancellationToken cancellationToken) =>
        _lost.AreBack(Others) ? RecordRepairer.CountAgainAsync(this, batch, keyspace, cancellationToken) : ValueTask.CompletedTask;

    IEnumerable<byte> Others => Identity.Members
        .Where(member => member.Key != Node && member.Value.HasJoined && !Identity.Forgotten.Contains(member.Key)).Select(static member => member.Key);

    void SuspectLoss()
    {
        _puller.EndAll();                                                         // the peers that answer may not know enough
        _lost.Suspect(_state.Known, Sessions.Where(static session => !session.Value.Run.IsNone).Select(static session => session.Key));
    }

    /// <summary>
    /// Suspects a loss if keyspaces must be recounted: the reason is no longer known, and may be that documents were lost.
    /// </summary>
    void SuspectLossIfUncounted()
    {
        if (Uncounted.Any())
            SuspectLoss();
    }

    bool RepairIndexRecord(ReplicaBatch batch, ReadOnlyMemory<byte> key)
    {
        ushort number = StoreLayout.NumberOf(key.Span);
        if (Catalog.All.FirstOrDefault(keyspace => keyspace.State.IndexRecords.ContainsKey(number)) is not { } indexed)
            return false;
        batch.Extra.Put(key, batch.Change(indexed).State.IndexRecords[number].Encode());
        return true;
    }
}
