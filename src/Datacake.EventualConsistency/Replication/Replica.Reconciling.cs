using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

// Full reconcile: for a replica and a peer of which one has forgotten what the other never knew [R13].
sealed partial class Replica
{
    // What the other side's snapshot, which is all aside now, knows.
    ReplicaState? _arrived;

    bool _mayHavePartAside = true;      // pages of a snapshot, whose rest may never come

    /// <summary>Whether a snapshot lies aside that the next batch has to reconcile.</summary>
    public bool HasArrived => _arrived is not null;

    /// <summary>Whether what lies aside is of no use, and being cleared away: until that is done, nothing is pulled.</summary>
    bool IsClearing => _mayHavePartAside && !IsPulling && !HasArrived;

    void TakeAside(ReplicaBatch batch, SnapshotPage page)
    {
        _mayHavePartAside = true;
        foreach (var (name, document) in page.Documents)
            batch.Extra.Put(StoreLayout.ArrivingKey(KeyOf(batch, name).Span), document.Encoded);
        foreach (var (stamp, names) in page.Records)
        {
            var transaction = new LogTransaction(stamp, [.. names.Select(name => KeyOf(batch, name))]);
            batch.Extra.Put(StoreLayout.ArrivingLogKey(stamp), new LogRecord(MayPurge: true, [transaction]).Encode());
        }
        if (page.IsLast)
            _arrived = page.State;
    }

    /// <summary>
    /// One storage commit in which this replica takes over all of the other's snapshot, and asserts again, as a transaction of its own, whatever of
    /// either side the other may have purged without the one side knowing. Before anything else is done with the batch, which has to hold what is
    /// changed and not what is stored.
    /// </summary>
    public async ValueTask ReconcileAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        if (_arrived is not { } theirs)
        {
            if (IsClearing)
                await ClearAsideAsync(batch, cancellationToken).ConfigureAwait(false);
            return;
        }
        batch.IsReconciled = true;
        var mine = batch.State;
        if (!mine.Known.Covers(theirs.Truncated))
            await ReconcileAsync(batch, mine, theirs, cancellationToken).ConfigureAwait(false);
    }

    async ValueTask ClearAsideAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        int count = 0;
        foreach (var range in (KeyRange[])[StoreLayout.AllArriving, StoreLayout.AllArrivingLog])
        {
            await foreach (var (key, _) in batch.Snapshot.ReadAllAsync(range, cancellationToken).ConfigureAwait(false))
            {
                if (++count > _settings.MaxStep)
                    return;
                batch.Extra.Delete(key.ToArray());
            }
        }
        _mayHavePartAside = false;
    }

    async ValueTask ReconcileAsync(ReplicaBatch batch, ReplicaState mine, ReplicaState theirs, CancellationToken cancellationToken)
    {
        var stamp = _clock.Tick();
        var purgedHere = theirs.Known.Covers(mine.Truncated) ? HlcTimestamp.None : mine.Purged;
        var purgedThere = mine.Known.Covers(theirs.Truncated) ? HlcTimestamp.None : theirs.Purged;
        var truncated = mine.Truncated.Union(theirs.Truncated);
        var purged = HlcTimestamp.Max(mine.Purged, theirs.Purged);
        var deltas = new List<Delta>();
        var keys = new List<ReadOnlyMemory<byte>>();

        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.AllArriving, cancellationToken).ConfigureAwait(false))
        {
            byte[] documentKey = StoreLayout.DocumentKeyOfArriving(key.Span);
            var policy = Catalog[StoreLayout.KeyspaceOf(documentKey)].Policy;
            var other = ReplicaBatch.ParseStored(documentKey, value);
            var own = await ReplicaBatch.ReadStoredAsync(batch.Snapshot, documentKey).ConfigureAwait(false);
            Take(documentKey, own, ReferenceEquals(own, Document.Nothing)
                ? Survive(other, mine.Known, purgedHere, stamp, policy)
                : Combine(own, other, mine.Known, theirs.Known, purgedHere, purgedThere, stamp, policy));
        }
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.AllDocuments, cancellationToken).ConfigureAwait(false))
        {
            var isOnBothSides = await batch.Snapshot.GetAsync(StoreLayout.ArrivingKey(key.Span), cancellationToken).ConfigureAwait(false) is not null;
            if (isOnBothSides)
                continue;
            byte[] documentKey = key.ToArray();
            var own = ReplicaBatch.ParseStored(documentKey, value);
            Take(documentKey, own, Survive(own, theirs.Known, purgedThere, stamp, Catalog[StoreLayout.KeyspaceOf(documentKey)].Policy));
        }

        if (deltas.Count > 0)
            Publish(batch, stamp, [.. deltas], keys);
        batch.State = new ReplicaState(batch.State.Known.Union(theirs.Known), truncated, purged, batch.State.Runs.Union(theirs.Runs));
        // What was only put here may be merged with what was deleted there.
        await foreach (var record in TransactionLog.ReadAllAsync(batch.Snapshot, cancellationToken).ConfigureAwait(false))
            batch.TruncateLog(record, truncated);
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.AllArrivingLog, cancellationToken).ConfigureAwait(false))
        {
            foreach (var transaction in LogRecord.Decode(StoreLayout.StampOfLogKey(key.Span), value).Transactions)
            {
                if (!truncated.Contains(transaction.Stamp) && !mine.Known.Contains(transaction.Stamp))
                    batch.AddLog(transaction);
            }
        }

        void Take(byte[] documentKey, Document own, (Document Document, Delta? Delta) outcome)
        {
            var document = outcome.Document;
            if (outcome.Delta is { } delta)
            {
                document = Document.Merge(document, delta.Document);
                deltas.Add(delta with { Name = NameOf(documentKey) });
                keys.Add(documentKey);
            }
            // What one side has truncated, the other may hold unpurged; no log record is left that would lead to it later.
            var left = Purge(document, truncated, Catalog[StoreLayout.KeyspaceOf(documentKey)].Policy);
            if (!ReferenceEquals(left, document))
                purged = HlcTimestamp.Max(purged, NewestOf(document));
            if (!left.Equals(own))
                batch.Write(documentKey, own, left);
            if (deltas.Count < _settings.MaxAsserted)
                return;
            // What is asserted of one document does not depend on the others.
            Publish(batch, stamp, [.. deltas], keys);
            (stamp, deltas, keys) = (_clock.Tick(), [], []);
        }
    }

    /// <summary>A document that only one side has: what is left of it, and what is asserted again.</summary>
    (Document, Delta?) Survive(Document document, VersionVector otherKnows, HlcTimestamp otherPurged, HlcTimestamp stamp, MergePolicy policy)
    {
        if (document.IsWithin(otherKnows))
            return (Document.Nothing, null);                                    // the other had all of it, and purged it
        if (document.Born.IsNone || document.Born > otherPurged)
            return (document, null);                                            // nothing that the other has purged is newer

        // If it is only this side's delete that the other does not know, the other had all that is shown here, and has deleted and purged it.
        bool isDead = !document.IsAlive(policy) || (policy == MergePolicy.DeleteWins && otherKnows.Contains(document.Born))
            || IsContentWithin(document, otherKnows);
        var cells = new DocumentContentBuilder(document.Encoded.Length);
        var counters = new Dictionary<string, long>();
        foreach (var cell in document.Cells)
        {
            if (!cell.IsShown(document.Born))
                continue;
            if (cell.Kind == DocumentPathKind.CounterShare)
            {
                string property = System.Text.Encoding.UTF8.GetString(cell.Property);
                counters[property] = unchecked(counters.GetValueOrDefault(property) + CounterValue.Read(cell.Value));
            }
            else
            {
                cells.Set(cell.EncodedPath, cell.Value);
            }
        }
        var value = new byte[CounterValue.Size];
        foreach (var (property, total) in counters)
        {
            CounterValue.Write(value, total);
            cells.Set(DocumentPath.OfCounterShare(property, stamp, _run).Encoded.Span, value);
        }
        var again = Document.Put(stamp, cells.Build());
        return (document, new Delta(default, HlcTimestamp.None, isDead ? Document.Merge(again, Document.Delete(stamp)) : again));
    }

    static bool IsContentWithin(Document document, VersionVector known)
    {
        if (!known.Contains(document.Born) || (!document.Touched.IsNone && !known.Contains(document.Touched)))
            return false;
        foreach (var cell in document.Cells)
        {
            if (!known.Contains(cell.Stamp))
                return false;
        }
        return true;
    }

    /// <summary>A document that both sides have: only single cells may have been purged.</summary>
    (Document, Delta?) Combine(
        Document mine, Document theirs, VersionVector mineKnows, VersionVector theirsKnow, HlcTimestamp minePurged, HlcTimestamp theirsPurged,
        HlcTimestamp stamp, MergePolicy policy)
    {
        var both = Document.Merge(mine, theirs);
        // Who knows the other's put and does not hold it has purged the whole document, and had another delete of it since.
        if (mine.Born < both.Born && mineKnows.Contains(both.Born))
            return both.IsWithin(mineKnows) ? (mine, null) : Survive(both, mineKnows, minePurged, stamp, policy);
        if (theirs.Born < both.Born && theirsKnow.Contains(both.Born))
            return both.IsWithin(theirsKnow) ? (theirs, null) : Survive(both, theirsKnow, theirsPurged, stamp, policy);

        var again = new DocumentContentBuilder();
        both = both.Filter(cell =>
        {
            bool isMine = Holds(mine, cell), isTheirs = Holds(theirs, cell);
            if (!cell.IsShown(both.Born) || (isMine && isTheirs))
                return true;
            // Known and not held: removed there, or a counter's share that was folded into a later one, and the removal purged.
            return !(isMine ? theirsKnow : mineKnows).Contains(cell.Stamp);
        });
        foreach (var cell in both.Cells)
        {
            bool isMine = Holds(mine, cell), isTheirs = Holds(theirs, cell);
            bool isOnOneSide = !cell.IsRemoved && cell.Kind != DocumentPathKind.CounterShare && isMine != isTheirs;
            if (isOnOneSide && cell.Stamp <= (isMine ? theirsPurged : minePurged))
                again.Set(cell.EncodedPath, cell.Value);
        }
        if (again.Count == 0)
            return (both, null);
        var delta = Document.Update(stamp, again.Build());
        return (both, new Delta(default, both.Born, both.IsAlive(policy) ? delta : Document.Merge(delta, Document.Delete(stamp))));

        // A side that has purged a later removal may have taken an earlier one since, from a member that it had forgotten.
        static bool Holds(Document side, DocumentCell cell) =>
            side.TryGetCell(cell.EncodedPath, out var held) && (!held.IsRemoved || held.Stamp >= cell.Stamp);
    }
}
