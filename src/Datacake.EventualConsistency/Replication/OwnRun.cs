using System.Runtime.InteropServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The run of a store: one life of its process, in which it makes transactions [R5]; and why it may make no more, if its files were copied or it was retired.
/// </summary>
/// <param name="clock">The clock of the replica.</param>
/// <param name="identity">The identity of the store, which lists the runs in which it has written.</param>
sealed class OwnRun(HybridLogicalClock clock, ReplicaIdentity identity)
{
    HlcTimestamp _stamp;
    HlcTimestamp _last;         // the last stamp of the run in a completed batch, or the run itself
    int _follows;               // how often a later run of this store was followed

    /// <summary>The node whose store it is.</summary>
    public byte Node => clock.Node;

    /// <summary>The stamp that this life of the store started with, or none before it has joined.</summary>
    public HlcTimestamp Stamp => _stamp;

    /// <summary>True if the store has joined, so that it may issue stamps.</summary>
    public bool HasBegun => !_stamp.IsNone;

    /// <summary>The stamp of the last transaction that is stored, or of the run if there is none.</summary>
    public HlcTimestamp Last => _last;

    /// <summary>
    /// Why the store is no part of its cluster any more, or null if it is: it was retired, or its files were copied. It takes no writes from then on, for
    /// they would reach nobody.
    /// </summary>
    public Refusal? Exclusion { get; private set; }

    /// <summary>Begins the run with a new stamp.</summary>
    public void Begin() => _stamp = _last = clock.Tick();

    /// <summary>Takes the run back: the store has not joined after all.</summary>
    public void Undo() => _stamp = _last = HlcTimestamp.None;

    /// <summary>Issues the stamp of a transaction.</summary>
    public HlcTimestamp Tick() => clock.Tick();

    /// <summary>Claims, logs and sends a transaction of this run whose effects the batch has.</summary>
    public void Publish(ReplicaBatch batch, HlcTimestamp stamp, Delta[] deltas, List<ReadOnlyMemory<byte>> keys)
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

    /// <summary>Takes note of a batch that was committed.</summary>
    public void OnCommitted(ReplicaBatch batch)
    {
        if (!batch.LastWritten.IsNone)
            _last = batch.LastWritten;
    }

    /// <summary>Takes note of what is stored after a commit of which it was not known whether it was stored.</summary>
    public void OnAbandoned(ReplicaState stored) => _last = HlcTimestamp.Max(_last, stored.Known.OfNode(Node).Top);

    /// <summary>Takes no more writes. A store that is retired stays so.</summary>
    public void Exclude(Refusal reason)
    {
        Exclusion = reason;
        if (reason.Kind == RefusalKind.Retired)
            identity.IsDirty |= identity.Retired.Add(identity.StoreId, reason.Proof);
    }

    /// <summary>
    /// Gives up a run below a later one of the store for one above it, if nothing is written in it: some times in a life of the process, since two copies that
    /// both run would do so forever.
    /// </summary>
    public bool TryFollow(HlcTimestamp laterRun)
    {
        const int MaxFollows = 8;
        return _follows < MaxFollows && TryBeginAbove(laterRun) && ++_follows > 0;
    }

    /// <summary>
    /// Gives up a run in which nothing is written for one above stamps that an earlier life has issued. What has been written cannot be taken back: it stands
    /// under stamps that others know as something else.
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

    /// <summary>Lists the run among those in which the store has written, at its first transaction.</summary>
    void NoteRun()
    {
        const int MaxRuns = 256;
        if (identity.Runs.Count == MaxRuns)
            identity.Runs.RemoveAt(0);
        identity.Runs.Add(_stamp);
        identity.IsDirty = true;
    }

    static bool MayPurge(Delta[] deltas)
    {
        foreach (var delta in deltas)
        {
            if (delta.MayPurge)
                return true;
        }
        return false;
    }
}
