using System.IO.Hashing;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The full reconcile of a replica with a peer, after one of them was forgotten while the other purged [R13]. The peer's snapshot is set
/// aside in the store until it is complete. <see cref="DocumentReconciliation"/> then decides on each document.
/// </summary>
/// <remarks>
/// A merge is not enough here. If one side lacks a document, it may have purged it, or may never have had it, and nothing is left in the
/// store that would tell. The known sets decide: a side that knows all stamps of a document and lacks it has deleted and purged it. If it
/// knows only some of them, the document carries writes that it has not heard of, and must survive. But if its put is at or below that
/// side's purge mark, a purged delete may have been newer: members that still hold that delete would show the document as dead, and others
/// as alive. So it is asserted under a new stamp, above all that was purged. All of this is one commit, so that no crash leaves documents
/// without the known set by which they were decided. See PROTOCOL.md: reconcile.
/// </remarks>
/// <param name="run">The run of the store, in which documents are asserted again.</param>
/// <param name="settings">The settings of the replica.</param>
sealed class Reconciler(OwnRun run, ReplicaSettings settings)
{
    readonly RemovalGuard _guard = new(settings.MaxRemoved);
    ReplicaState? _arrived;             // the state of the peer's snapshot, once all of it is set aside
    byte _arrivedFrom;
    bool _mayHavePart = true;           // pages of a snapshot that may never be completed

    /// <summary>True if a complete snapshot is set aside, which the next batch must reconcile.</summary>
    public bool HasArrived => _arrived is not null;

    /// <summary>Gets the guard against reconciles that would remove many documents.</summary>
    public RemovalGuard Guard => _guard;

    /// <summary>True if pages of a snapshot may be set aside. Until they are gone, nothing is pulled.</summary>
    public bool MayHavePart => _mayHavePart;

    /// <summary>Sets a page of the peer's snapshot aside.</summary>
    public void TakeAside(ReplicaBatch batch, byte peer, SnapshotPage page)
    {
        _mayHavePart = true;
        foreach (var (name, document) in page.Documents)
            batch.Extra.Put(StoreLayout.ArrivingKey(batch.KeyOf(name).Span), document.Encoded);
        foreach (var (stamp, names) in page.Records)
        {
            var transaction = new LogTransaction(stamp, [.. names.Select(batch.KeyOf)]);
            batch.Extra.Put(StoreLayout.ArrivingLogKey(stamp), new LogRecord(MayPurge: true, [transaction]).Encode());
        }
        if (page.IsLast)
            (_arrived, _arrivedFrom) = (page.State, peer);
    }

    /// <summary>
    /// Reconciles the complete snapshot. In one storage commit, this replica takes over all of it, and asserts again, in transactions of
    /// its own, whatever of either side the other side may have purged without the first one knowing. Must be called before the batch is
    /// used for anything else: it reads the stored documents directly, so that the batch holds only the documents that change. A reconcile
    /// that would remove too many documents is given up for now.
    /// </summary>
    public async ValueTask ReconcileAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        var theirs = _arrived!;
        var mine = batch.State;
        if (mine.Known.Covers(theirs.Truncated))
        {
            batch.IsReconciled = true;
            return;
        }
        var serial = await ReadSerialAsync(batch, mine, theirs).ConfigureAwait(false);
        if (!_guard.Allows(_arrivedFrom, await FindRemovedAsync(batch, mine, theirs, serial, cancellationToken).ConfigureAwait(false)))
        {
            _arrived = null;
            return;
        }
        batch.IsReconciled = true;
        await ReconcileAsync(batch, mine, theirs, serial, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes the complete snapshot the content of a follower's store, in one storage commit [R21]. Nothing is reconciled, because the follower has no writes of its own:
    /// what the snapshot lacks was purged, or comes later. Must be called before the batch is used for anything else, like <see cref="ReconcileAsync(ReplicaBatch, CancellationToken)"/>.
    /// </summary>
    public async ValueTask ReplaceAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        var theirs = _arrived!;
        var mine = batch.State;
        batch.IsReconciled = true;
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.AllArriving, cancellationToken).ConfigureAwait(false))
        {
            byte[] documentKey = StoreLayout.DocumentKeyOfArriving(key.Span);
            var other = DocumentRecord.Parse(documentKey, value);
            var own = await DocumentRecord.ReadAsync(batch.Snapshot, documentKey).ConfigureAwait(false);
            if (!other.Equals(own))
                batch.Write(documentKey, own, other);
        }
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.AllDocuments, cancellationToken).ConfigureAwait(false))
        {
            if (await batch.Snapshot.GetAsync(StoreLayout.ArrivingKey(key.Span), cancellationToken).ConfigureAwait(false) is not null)
                continue;
            byte[] documentKey = key.ToArray();
            batch.Write(documentKey, DocumentRecord.Parse(documentKey, value), Document.Nothing);
        }
        batch.State = theirs;
        await MergeLogAsync(batch, mine.Known.Except(mine.Truncated).Intersect(theirs.Known), theirs.Truncated.Union(mine.Known.Except(theirs.Known)), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Deletes the next part of a snapshot that was set aside and is no longer needed.</summary>
    public async ValueTask ClearAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        int count = 0;
        foreach (var range in (KeyRange[])[StoreLayout.AllArriving, StoreLayout.AllArrivingLog])
        {
            await foreach (var key in batch.Snapshot.ReadKeysAsync(range, cancellationToken).ConfigureAwait(false))
            {
                if (++count > settings.MaxStep)
                    return;
                batch.Extra.Delete(key.ToArray());
            }
        }
        _mayHavePart = false;
    }

    /// <summary>Drops the reconciled snapshot once its batch is committed.</summary>
    public void OnCommitted(ReplicaBatch batch)
    {
        if (batch.IsReconciled)
            _arrived = null;
    }

    /// <summary>Drops the snapshot that was set aside, after a commit with an unknown outcome.</summary>
    public void OnAbandoned()
    {
        _arrived = null;
        _mayHavePart = true;
    }

    async ValueTask ReconcileAsync(
        ReplicaBatch batch, ReplicaState mine, ReplicaState theirs, (HlcTimestamp Mine, HlcTimestamp Theirs) serial, CancellationToken cancellationToken)
    {
        var stamp = run.Tick();
        var (here, there) = SidesOf(mine, theirs, serial);
        var known = mine.Known.Union(theirs.Known);
        var truncated = mine.Truncated.Union(theirs.Truncated);
        var purged = HlcTimestamp.Max(mine.Purged, theirs.Purged);
        var deltas = new List<DocumentDelta>();
        var keys = new List<ReadOnlyMemory<byte>>();

        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.AllArriving, cancellationToken).ConfigureAwait(false))
        {
            byte[] documentKey = StoreLayout.DocumentKeyOfArriving(key.Span);
            var policy = batch.PolicyOf(documentKey);
            var other = DocumentRecord.Parse(documentKey, value);
            var own = await DocumentRecord.ReadAsync(batch.Snapshot, documentKey).ConfigureAwait(false);
            Take(documentKey, own, policy, ReferenceEquals(own, Document.Nothing)
                ? DocumentReconciliation.Survive(other, here, known, stamp, policy)
                : DocumentReconciliation.Combine(own, other, here, there, known, stamp, policy));
            batch.NoteReplaced(documentKey, own, other);
        }
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.AllDocuments, cancellationToken).ConfigureAwait(false))
        {
            var isOnBothSides = await batch.Snapshot.GetAsync(StoreLayout.ArrivingKey(key.Span), cancellationToken).ConfigureAwait(false) is not null;
            if (isOnBothSides)
                continue;
            byte[] documentKey = key.ToArray();
            var policy = batch.PolicyOf(documentKey);
            var own = DocumentRecord.Parse(documentKey, value);
            Take(documentKey, own, policy, DocumentReconciliation.Survive(own, there, known, stamp, policy));
        }

        if (deltas.Count > 0)
            run.Publish(batch, stamp, [.. deltas], keys);
        batch.State = new ReplicaState(batch.State.Known.Union(known), truncated, purged, batch.State.Runs.Union(theirs.Runs));
        await MergeLogAsync(batch, mine.Known, truncated, cancellationToken).ConfigureAwait(false);

        void Take(byte[] documentKey, Document own, MergePolicy policy, (Document Document, DocumentDelta? Delta) outcome)
        {
            var document = outcome.Document;
            if (outcome.Delta is { } delta)
            {
                document = Document.Merge(document, delta.Document);
                deltas.Add(delta with { Name = batch.NameOf(documentKey) });
                keys.Add(documentKey);
            }
            // One side may still hold what the other has truncated. No log record is left that would lead to its purge later.
            var left = DocumentPurge.Apply(document, truncated, policy);
            if (!ReferenceEquals(left, document))
                purged = HlcTimestamp.Max(purged, DocumentPurge.MarkOf(document));
            if (!left.Equals(own))
                batch.Write(documentKey, own, left);
            if (deltas.Count < settings.MaxAsserted)
                return;
            // The assertion of one document does not depend on the others, so it may be in another transaction.
            run.Publish(batch, stamp, [.. deltas], keys);
            (stamp, deltas, keys) = (run.Tick(), [], []);
        }
    }

    static (ReconciledSide Here, ReconciledSide There) SidesOf(
        ReplicaState mine, ReplicaState theirs, (HlcTimestamp Mine, HlcTimestamp Theirs) serial) => (
        new ReconciledSide(mine.Known, theirs.Known.Covers(mine.Truncated) ? HlcTimestamp.None : mine.Purged, serial.Mine),
        new ReconciledSide(theirs.Known, mine.Known.Covers(theirs.Truncated) ? HlcTimestamp.None : theirs.Purged, serial.Theirs));

    /// <summary>
    /// Returns the stamp of the last serial transaction that each side shows; none for a side that has received a later one before an earlier one, and so may lack what the other
    /// side has.
    /// </summary>
    static async ValueTask<(HlcTimestamp Mine, HlcTimestamp Theirs)> ReadSerialAsync(ReplicaBatch batch, ReplicaState mine, ReplicaState theirs)
    {
        if (batch.FindKeyspace(SerialPosition.Keyspace) is not { } keyspace)
            return (HlcTimestamp.None, HlcTimestamp.None);
        byte[] key = StoreLayout.DocumentKey(keyspace.Number, SerialPosition.Key.Encoded.Span);
        var own = await DocumentRecord.ReadAsync(batch.Snapshot, key).ConfigureAwait(false);
        var other = await batch.Snapshot.GetAsync(StoreLayout.ArrivingKey(key)).ConfigureAwait(false) is { } arriving ? DocumentRecord.Parse(key, arriving) : Document.Nothing;
        return (StampOf(own, mine.Known), StampOf(other, theirs.Known));

        static HlcTimestamp StampOf(Document position, VersionVector known) =>
            SerialPosition.IsWithoutGap(position, known) ? SerialPosition.StampOf(position) : HlcTimestamp.None;
    }

    /// <summary>
    /// Returns the hashes of the keys of documents that exist here and would be removed, although the other side no longer has a delete of
    /// them: it claims that the delete was purged.
    /// </summary>
    async ValueTask<HashSet<ulong>> FindRemovedAsync(
        ReplicaBatch batch, ReplicaState mine, ReplicaState theirs, (HlcTimestamp Mine, HlcTimestamp Theirs) serial, CancellationToken cancellationToken)
    {
        var stamp = run.Tick();
        var (here, there) = SidesOf(mine, theirs, serial);
        var known = mine.Known.Union(theirs.Known);
        var removed = new HashSet<ulong>();
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.AllDocuments, cancellationToken).ConfigureAwait(false))
        {
            var policy = batch.PolicyOf(key);
            var own = DocumentRecord.Parse(key, value);
            // What has expired is removed by this replica's own clock [R20].
            if (!own.IsAliveAt(batch.Now, policy))
                continue;
            var other = await batch.Snapshot.GetAsync(StoreLayout.ArrivingKey(key.Span), cancellationToken).ConfigureAwait(false) is { } arriving
                ? DocumentRecord.Parse(key, arriving)
                : Document.Nothing;
            if (!other.Died.IsNone)
                continue;
            var (document, delta) = ReferenceEquals(other, Document.Nothing)
                ? DocumentReconciliation.Survive(own, there, known, stamp, policy)
                : DocumentReconciliation.Combine(own, other, here, there, known, stamp, policy);
            if (!(delta is null ? document : Document.Merge(document, delta.Value.Document)).IsAlive(policy))
                removed.Add(XxHash3.HashToUInt64(key.Span));
        }
        return removed;
    }

    /// <summary>Merges the logs of both sides, without the transactions that either side has truncated.</summary>
    static async ValueTask MergeLogAsync(ReplicaBatch batch, VersionVector mine, VersionVector truncated, CancellationToken cancellationToken)
    {
        // A document that was only put here may be merged with a delete of the other side.
        await foreach (var record in TransactionLog.ReadAllAsync(batch.Snapshot, cancellationToken).ConfigureAwait(false))
            batch.TruncateLog(record, truncated);
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.AllArrivingLog, cancellationToken).ConfigureAwait(false))
        {
            foreach (var transaction in LogRecord.Decode(StoreLayout.StampOfLogKey(key.Span), value).Transactions)
            {
                if (!truncated.Contains(transaction.Stamp) && !mine.Contains(transaction.Stamp))
                    batch.AddLog(transaction);
            }
        }
    }
}
