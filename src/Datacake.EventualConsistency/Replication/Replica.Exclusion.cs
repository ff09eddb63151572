using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

// The run of this store, and whether the store is still part of its cluster [R5, R6].
sealed partial class Replica
{
    /// <inheritdoc cref="OwnRun.Exclusion"/>
    public Refusal? Exclusion => _run.Exclusion;

    /// <summary>Takes note of a peer that refuses a session, or has ended it.</summary>
    public void OnRefused(byte peer, Refusal refusal)
    {
        _table.Note(peer, refusal);
        // The peer has another store under this node id: if that is given up, all have to be asked for the stamps that it has issued.
        if (!IsJoined && refusal.Kind == RefusalKind.IdTaken && !Identity.MayHaveEarlierLife)
            Identity.MayHaveEarlierLife = Identity.IsDirty = true;
        if (!IsJoined || (refusal is { Kind: RefusalKind.OldCopy, Stamp.IsNone: false } && TryBeginAbove(refusal.Stamp))
            || (refusal is { Kind: RefusalKind.Superseded, Stamp.IsNone: false } && (refusal.Stamp < _run.Stamp || TryFollow(refusal.Stamp))))
            return;
        // That another life of this node has opened a session is no proof: whoever dials again is told the run of it.
        bool isProven = refusal.Kind == RefusalKind.OldCopy || (refusal.Kind == RefusalKind.Retired && _proofs.IsProven(refusal)) || refusal is { Kind: RefusalKind.Superseded, Stamp.IsNone: false };
        if (isProven)
            _run.Exclude(refusal);
    }

    /// <summary>Excludes this store if the sender of a hello knows it to be retired; then returns the refusal of the session.</summary>
    Refusal? ExcludeIfRetired(Hello hello)
    {
        if (!hello.Table.Retired.TryGetValue(Identity.StoreId, out var proof))
            return null;
        _run.Exclude(RefusalReasons.Retired(Node, proof));
        return RefusalReasons.OwnStoreIsRetired(Node);
    }

    /// <summary>
    /// Excludes this store if a hello proves that its files were copied, by a later run of the store or by stamps of it that it lacks; then returns the
    /// refusal of the session. A run in which nothing is written is begun anew instead, above what the sender knows.
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

    /// <summary>Follows a later run of this store; all sessions begin anew with the new run.</summary>
    bool TryFollow(HlcTimestamp laterRun) => _run.TryFollow(laterRun) && EndSessionsOfLastRun();

    /// <summary>Begins a run above stamps of an earlier life of this store; all sessions begin anew with it.</summary>
    bool TryBeginAbove(HlcTimestamp known) => _run.TryBeginAbove(known) && EndSessionsOfLastRun();

    bool EndSessionsOfLastRun()
    {
        foreach (byte peer in Sessions.Keys.ToArray())
            EndSession(peer, RefusalReasons.NewRun());
        return true;
    }
}
