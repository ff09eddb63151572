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

    /// <summary>Writes again what assertions of others have taken the place of, though they did not know it [R13].</summary>
    async ValueTask WriteAgainAsync(ReplicaBatch batch)
    {
        var replaced = batch.TakeReplaced();
        if (Exclusion is not null)
            return;
        foreach (var part in replaced.Chunk(_settings.MaxAsserted))
        {
            var stamp = HlcTimestamp.None;
            var deltas = new List<Delta>();
            var keys = new List<ReadOnlyMemory<byte>>();
            foreach (var (key, mine, asserted) in part)
            {
                var current = await batch.ReadAsync(key).ConfigureAwait(false);
                if (current.Born != asserted.Born)
                    continue;
                if (stamp.IsNone)
                    stamp = _run.Tick();
                var policy = Catalog[StoreLayout.KeyspaceOf(key.Span)].Policy;
                if (Assertion.WriteAgain(mine, asserted, (Node, _run.Stamp, _gapCloser.HasGap(_state)), stamp, batch.State.Known, policy) is not { } again)
                    continue;
                batch.Write(key, Document.Merge(current, again));
                deltas.Add(new Delta(NameOf(key), again.Born.IsNone ? current.Born : HlcTimestamp.None, again));
                keys.Add(key);
            }
            if (deltas.Count == 0)
                continue;
            _run.Publish(batch, stamp, [.. deltas], keys);
            batch.WrittenAgain.Add(stamp);
        }
    }

    /// <summary>One of the two sides of a reconcile.</summary>
    /// <param name="Knows">What it knows.</param>
    /// <param name="Purged">The greatest stamp of what it may have purged without the other side knowing.</param>
    readonly record struct Side(VersionVector Knows, HlcTimestamp Purged);

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
        var stamp = _run.Tick();
        var here = new Side(mine.Known, theirs.Known.Covers(mine.Truncated) ? HlcTimestamp.None : mine.Purged);
        var there = new Side(theirs.Known, mine.Known.Covers(theirs.Truncated) ? HlcTimestamp.None : theirs.Purged);
        var known = mine.Known.Union(theirs.Known);
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
                ? Survive(other, here, known, stamp, policy)
                : Combine(own, other, here, there, known, stamp, policy));
            batch.NoteReplaced(documentKey, own, other);
        }
        await foreach (var (key, value) in batch.Snapshot.ReadAllAsync(StoreLayout.AllDocuments, cancellationToken).ConfigureAwait(false))
        {
            var isOnBothSides = await batch.Snapshot.GetAsync(StoreLayout.ArrivingKey(key.Span), cancellationToken).ConfigureAwait(false) is not null;
            if (isOnBothSides)
                continue;
            byte[] documentKey = key.ToArray();
            var own = ReplicaBatch.ParseStored(documentKey, value);
            Take(documentKey, own, Survive(own, there, known, stamp, Catalog[StoreLayout.KeyspaceOf(documentKey)].Policy));
        }

        if (deltas.Count > 0)
            _run.Publish(batch, stamp, [.. deltas], keys);
        batch.State = new ReplicaState(batch.State.Known.Union(known), truncated, purged, batch.State.Runs.Union(theirs.Runs));
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
        await WriteAgainAsync(batch).ConfigureAwait(false);

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
            var left = DocumentPurge.Apply(document, truncated, Catalog[StoreLayout.KeyspaceOf(documentKey)].Policy);
            if (!ReferenceEquals(left, document))
                purged = HlcTimestamp.Max(purged, DocumentPurge.MarkOf(document));
            if (!left.Equals(own))
                batch.Write(documentKey, own, left);
            if (deltas.Count < _settings.MaxAsserted)
                return;
            // What is asserted of one document does not depend on the others.
            _run.Publish(batch, stamp, [.. deltas], keys);
            (stamp, deltas, keys) = (_run.Tick(), [], []);
        }
    }

    /// <summary>A document that only one side has: what is left of it, and what is asserted again.</summary>
    static (Document, Delta?) Survive(Document document, Side other, VersionVector known, HlcTimestamp stamp, MergePolicy policy)
    {
        if (document.IsWithin(other.Knows))
            return (Document.Nothing, null);                                    // the other had all of it, and purged it
        if (document.Born.IsNone || document.Born > other.Purged)
            return (document, null);                                            // nothing that the other has purged is newer

        // If it is only this side's delete that the other does not know, the other had all that is shown here, and has deleted and purged it.
        bool isDead = !document.IsAlive(policy) || (policy == MergePolicy.DeleteWins && other.Knows.Contains(document.Born))
            || IsContentWithin(document, other.Knows);
        return (document, new Delta(default, HlcTimestamp.None, Assertion.Of(document, stamp, known, isDead)));
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
    static (Document, Delta?) Combine(
        Document mine, Document theirs, Side here, Side there, VersionVector known, HlcTimestamp stamp, MergePolicy policy)
    {
        var both = Document.Merge(mine, theirs);
        // Who knows the other's put and does not hold it has purged the whole document, and had another delete of it since.
        if (mine.Born < both.Born && here.Knows.Contains(both.Born))
            return both.IsWithin(here.Knows) ? (mine, null) : Survive(both, here, known, stamp, policy);
        if (theirs.Born < both.Born && there.Knows.Contains(both.Born))
            return both.IsWithin(there.Knows) ? (theirs, null) : Survive(both, there, known, stamp, policy);

        var again = new DocumentContentBuilder();
        both = both.Filter(cell =>
        {
            bool isMine = Holds(mine, cell), isTheirs = Holds(theirs, cell);
            if (!cell.IsShown(both.Born) || (isMine && isTheirs))
                return true;
            // Known and not held: removed there, or a counter's share that was folded into a later one, and the removal purged.
            return !(isMine ? there : here).Knows.Contains(cell.Stamp);
        });
        foreach (var cell in both.Cells)
        {
            bool isMine = Holds(mine, cell), isTheirs = Holds(theirs, cell);
            bool isOnOneSide = cell.IsShown(both.Born) && cell.Kind != DocumentPathKind.CounterShare && isMine != isTheirs;
            if (isOnOneSide && cell.Stamp <= (isMine ? there : here).Purged)
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
