using System.IO.Hashing;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The full reconcile of a replica with a peer of which one has forgotten what the other never knew [R13]. The snapshot of the peer is laid aside in the
/// store until all of it has come. <see cref="DocumentReconciliation"/> decides what becomes of each document.
/// </summary>
/// <param name="run">The run of the store, in which documents are asserted again.</param>
/// <param name="settings">The settings of the replica.</param>
sealed class Reconciler(OwnRun run, ReplicaSettings settings)
{
    readonly RemovalGuard _guard = new(settings.MaxRemoved);
    ReplicaState? _arrived;             // what the other side's snapshot, which is all aside now, knows
    byte _arrivedFrom;
    bool _mayHavePart = true;           // pages of a snapshot, whose rest may never come

    /// <summary>True if a snapshot lies aside that the next batch has to reconcile.</summary>
    public bool HasArrived => _arrived is not null;

    /// <summary>The limit of what one member can have removed.</summary>
    public RemovalGuard Guard => _guard;

    /// <summary>True if pages of a snapshot may lie aside: until they are gone, nothing is pulled.</summary>
    public bool MayHavePart => _mayHavePart;

    /// <summary>Takes a page of the peer's snapshot aside.</summary>
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
    /// Reconciles the snapshot that has arrived: one storage commit in which this replica takes over all of it, and asserts again, as a transaction of its own,
    /// whatever of either side the other may have purged without the one side knowing. Before anything else is done with the batch, which has to hold what is
    /// changed and not what is stored. One that would remove too much is given up for now.
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
        if (!_guard.Allows(_arrivedFrom, await FindRemovedAsync(batch, mine, theirs, cancellationToken).ConfigureAwait(false)))
        {
            _arrived = null;
            return;
        }
        batch.IsReconciled = true;
        await ReconcileAsync(batch, mine, theirs, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Clears away one step of what lies aside and is of no use.</summary>
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

    /// <summary>Takes note of a batch that was committed.</summary>
    public void OnCommitted(ReplicaBatch batch)
    {
        if (batch.IsReconciled)
            _arrived = null;
    }

    /// <summary>Gives up what has come, after a commit of which it is not known whether it was stored.</summary>
    public void OnAbandoned()
    {
        _arrived = null;
        _mayHavePart = true;
    }

    async ValueTask ReconcileAsync(ReplicaBatch batch, ReplicaState mine, ReplicaState theirs, CancellationToken cancellationToken)
    {
        var stamp = run.Tick();
        var (here, there) = SidesOf(mine, theirs);
        var known = mine.Known.Union(theirs.Known);
        var truncated = mine.Truncated.Union(theirs.Truncated);
        var purged = HlcTimestamp.Max(mine.Purged, theirs.Purged);
        var deltas = new List<Delta>();
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

        void Take(byte[] documentKey, Document own, MergePolicy policy, (Document Document, Delta? Delta) outcome)
        {
            var document = outcome.Document;
            if (outcome.Delta is { } delta)
            {
                document = Document.Merge(document, delta.Document);
                deltas.Add(delta with { Name = batch.NameOf(documentKey) });
                keys.Add(documentKey);
            }
            // What one side has truncated, the other may hold unpurged; no log record is left that would lead to it later.
            var left = DocumentPurge.Apply(document, truncated, policy);
            if (!ReferenceEquals(left, document))
                purged = HlcTimestamp.Max(purged, DocumentPurge.MarkOf(document));
            if (!left.Equals(own))
                batch.Write(documentKey, own, left);
            if (deltas.Count < settings.MaxAsserted)
                return;
            // What is asserted of one document does not depend on the others.
            run.Publish(batch, stamp, [.. deltas], keys);
            (stamp, deltas, keys) = (run.Tick(), [], []);
        }
    }

    static (ReconciledSide Here, ReconciledSide There) SidesOf(ReplicaState mine, ReplicaState theirs) => (
        new ReconciledSide(mine.Known, theirs.Known.Covers(mine.Truncated) ? HlcTimestamp.None : mine.Purged),
        new ReconciledSide(theirs.Known, mine.Known.Covers(theirs.Truncated) ? HlcTimestamp.None : theirs.Purged));

    /// <summary>
    /// Returns the hashes of the keys of documents that are shown here and would not be any more, though the other side has no delete of them: it says that it
    /// has forgotten that.
    /// </summary>
    async ValueTask<HashSet<ulong>> FindRemovedAsync(ReplicaBatch batch, ReplicaState mine, ReplicaState theirs, CancellationToken cancellationToken)
    {
        var stamp = run.Tick();
        var (here, there) = SidesOf(mine, theirs);
        var known = mine.Known.Union(theirs.Known);
        var removed = new HashSet<ulong>();
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.AllDocuments, cancellationToken).ConfigureAwait(false))
        {
            var policy = batch.PolicyOf(key);
            var own = DocumentRecord.Parse(key, value);
            if (!own.IsAlive(policy))
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

    /// <summary>Makes the log that of both sides, without what either has truncated.</summary>
    static async ValueTask MergeLogAsync(ReplicaBatch batch, VersionVector mine, VersionVector truncated, CancellationToken cancellationToken)
    {
        // What was only put here may be merged with what was deleted there.
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
