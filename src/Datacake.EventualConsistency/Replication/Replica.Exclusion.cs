using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

// The run of this store, and its exclusion from the cluster [R5, R6].
sealed partial class Replica
{
    /// <inheritdoc cref="OwnRun.Exclusion"/>
    public Refusal? Exclusion => _run.Exclusion;

    /// <summary>Records that a peer has refused or ended a session, and acts on it if the refusal concerns this store.</summary>
    public void OnRefused(byte peer, Refusal refusal)
    {
        _table.Note(peer, refusal);
        // The peer knows another store under this node id. If that store is given up, all members must be asked for the stamps that it has
        // issued.
        if (!IsJoined && refusal.Kind == RefusalKind.IdTaken && !Identity.MayHaveEarlierLife)
            Identity.MayHaveEarlierLife = Identity.IsDirty = true;
        if (!IsJoined || (refusal is { Kind: RefusalKind.OldCopy, Stamp.IsNone: false } && TryBeginAbove(refusal.Stamp))
            || (refusal is { Kind: RefusalKind.Superseded, Stamp.IsNone: false } && (refusal.Stamp < _run.Stamp || TryFollow(refusal.Stamp))))
            return;
        // A session that another life of this node opened proves nothing yet: if that life's run is later, the peer names the run when this
        // node dials again.
        bool isProven = refusal.Kind == RefusalKind.OldCopy || (refusal.Kind == RefusalKind.Retired && _proofs.IsProven(refusal)) || refusal is { Kind: RefusalKind.Superseded, Stamp.IsNone: false };
        if (isProven)
            _run.Exclude(refusal);
    }

    /// <summary>
    /// Excludes this store, and returns the refusal of the session, if the sender of a hello knows that the store is retired.
    /// </summary>
    Refusal? ExcludeIfRetired(Hello hello)
    {
        if (!hello.Table.Retired.TryGetValue(Identity.StoreId, out var proof))
            return null;
        _run.Exclude(RefusalReasons.Retired(Node, proof));
        return RefusalReasons.OwnStoreIsRetired(Node);
    }

    /// <summary>
    /// Excludes this store, and returns the refusal of the session, if a hello proves that its files were copied: by a later run of the
    /// store, or by stamps of the store that are missing here. A run in which nothing was written is instead started anew, above the stamps
    /// that the sender knows.
    /// </summary>
    Refusal? ExcludeIfCopied(Hello hello)
    {
        if (!IsJoined)
            return null;
        if (_run.Stamp < hello.Runs[Node] && !TryFollow(hello.Runs[Node]))
        {
            _run.Exclude(RefusalReasons.Superseded(Node, hello.Runs[Node]));
            return RefusalReasons.OwnRunIsSuperseded(Node);
        }
        var top = hello.Known.OfNode(Node).Top;
        bool isAhead = !_state.Known.Covers(hello.Known.OfNode(Node).Between(_run.Stamp, top));
        bool hasWritten = Admission.IsOldCopy(Node, [.. Identity.Runs], hello.Known, hello.Runs);
        if (hasWritten || ((isAhead || Admission.IsOldCopy(Node, [_run.Stamp], hello.Known, hello.Runs)) && !TryBeginAbove(top)))
        {
            _run.Exclude(RefusalReasons.OldCopy(Node, HlcTimestamp.None));
            return RefusalReasons.OwnFilesAreOldCopy(Node);
        }
        return null;
    }

    /// <summary>Starts a new run above a later run of this store, and ends all sessions, so that they reopen with the new run.</summary>
    bool TryFollow(HlcTimestamp laterRun) => _run.TryFollow(laterRun) && EndSessionsOfLastRun();

    /// <summary>
    /// Starts a new run above stamps of an earlier life of this store, and ends all sessions, so that they reopen with the new run.
    /// </summary>
    bool TryBeginAbove(HlcTimestamp known) => _run.TryBeginAbove(known) && EndSessionsOfLastRun();

    bool EndSessionsOfLastRun()
    {
        foreach (byte peer in Sessions.Keys.ToArray())
            EndSession(peer, RefusalReasons.NewRun());
        return true;
    }
}
