using System.Runtime.InteropServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The run of a store: the period in which one process creates transactions [R5]. It also knows the reason if the store may no longer
/// create any, because its files were copied or it was retired.
/// </summary>
/// <remarks>
/// A claim begins at the previous stamp of the same run, and the first one at the run itself. It never reaches back into an earlier run:
/// that run may have sent transactions to peers and then lost them with an unflushed tail. A claim across that stretch would say that this
/// store has what it has lost, so no pull would ever bring it back. <see cref="GapCloser"/> claims the stretch once all members have been
/// asked. See PROTOCOL.md: joined, run.
/// </remarks>
/// <param name="clock">The clock of the replica.</param>
/// <param name="identity">The identity of the store, which lists the runs in which the store has written.</param>
sealed class OwnRun(HybridLogicalClock clock, ReplicaIdentity identity)
{
    HlcTimestamp _stamp;
    HlcTimestamp _last;         // the last stamp of the run in a completed batch, or the run itself
    int _follows;               // how often this run was replaced to follow a later run of the store

    /// <summary>Gets the node that the store belongs to.</summary>
    public byte Node => clock.Node;

    /// <summary>Gets the stamp that this life of the store started with, or none before the store has joined.</summary>
    public HlcTimestamp Stamp => _stamp;

    /// <summary>True if the store has joined, so that it may issue stamps.</summary>
    public bool HasBegun => !_stamp.IsNone;

    /// <summary>Gets the stamp of the last stored transaction of the run, or the run itself if there is none.</summary>
    public HlcTimestamp Last => _last;

    /// <summary>
    /// Gets the reason why the store is no longer part of its cluster, or null if it still is: it was retired, or its files were copied. An
    /// excluded store refuses writes, because they would reach no other node.
    /// </summary>
    public Refusal? Exclusion { get; private set; }

    /// <summary>Begins the run with a new stamp.</summary>
    public void Begin() => _stamp = _last = clock.Tick();

    /// <summary>Undoes the beginning of the run: the store has not joined after all.</summary>
    public void Undo() => _stamp = _last = HlcTimestamp.None;

    /// <summary>Issues the stamp of a transaction.</summary>
    public HlcTimestamp Tick() => clock.Tick();

    /// <summary>Claims, logs and sends a transaction of this run whose effects are already in the batch.</summary>
    public void Publish(ReplicaBatch batch, HlcTimestamp stamp, DocumentDelta[] deltas, List<ReadOnlyMemory<byte>> keys)
    {
        var previous = batch.LastWritten.IsNone ? _last : batch.LastWritten;
        batch.LastWritten = stamp;
        batch.Claim(Node, previous, stamp);
        batch.Note(Node, _stamp);
        if (identity.Runs is not [.., var run] || run != _stamp)
            NoteRun();
        batch.AddLog(previous, stamp, CollectionsMarshal.AsSpan(keys), MayPurge(deltas));
        batch.Mutations.Add(new Mutation(previous, stamp, deltas));
    }

    /// <summary>Takes over the last stamp of a committed batch.</summary>
    public void OnCommitted(ReplicaBatch batch)
    {
        if (!batch.LastWritten.IsNone)
            _last = batch.LastWritten;
    }

    /// <summary>Takes over the last stored stamp after a commit with an unknown outcome.</summary>
    public void OnAbandoned(ReplicaState stored) => _last = HlcTimestamp.Max(_last, stored.Known.OfNode(Node).Top);

    /// <summary>Excludes the store, so that it refuses writes. A retired store is recorded as retired.</summary>
    public void Exclude(Refusal reason)
    {
        Exclusion = reason;
        if (reason.Kind == RefusalKind.Retired)
            identity.IsDirty |= identity.Retired.Add(identity.StoreId, reason.Proof);
    }

    /// <summary>
    /// Replaces a run in which nothing was written by one above a later run of the store. Does so only a limited number of times per
    /// process, because two copies that are both running would otherwise outdo each other forever.
    /// </summary>
    public bool TryFollow(HlcTimestamp laterRun)
    {
        const int MaxFollows = 8;
        return _follows < MaxFollows && TryBeginAbove(laterRun) && ++_follows > 0;
    }

    /// <summary>
    /// Replaces a run in which nothing was written by one above stamps that an earlier life has issued. A run with transactions cannot be
    /// replaced: other nodes may know other transactions under the same stamps.
    /// </summary>
    public bool TryBeginAbove(HlcTimestamp known)
    {
        if (!HasBegun || _last != _stamp || !clock.Accepts(known))
            return false;
        clock.AdvanceTo(known);
        Begin();
        identity.IsDirty = true;
        if (Exclusion is { Kind: not RefusalKind.Retired })
            Exclusion = null;
        return true;
    }

    /// <summary>Adds the run to those in which the store has written, at its first transaction.</summary>
    void NoteRun()
    {
        const int MaxRuns = 256;
        if (identity.Runs.Count == MaxRuns)
            identity.Runs.RemoveAt(0);
        identity.Runs.Add(_stamp);
        identity.IsDirty = true;
    }

    static bool MayPurge(DocumentDelta[] deltas)
    {
        foreach (var delta in deltas)
        {
            if (delta.MayPurge)
                return true;
        }
        return false;
    }
}
