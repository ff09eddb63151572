using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

// The run of this store, and whether the store is still part of its cluster [R5, R6].
sealed partial class Replica
{
    int _follows;               // how often a later run of this store was followed

    /// <summary>
    /// Why the store is no part of its cluster any more, or null if it is: it was retired, or its files were copied. It takes no writes from then on, for
    /// they would reach nobody.
    /// </summary>
    public Refusal? Exclusion { get; private set; }

    /// <summary>Takes note of a peer that refuses a session, or has ended it.</summary>
    public void OnRefused(byte peer, Refusal refusal)
    {
        _table.Note(peer, refusal);
        if (!IsJoined || (refusal is { Kind: RefusalKind.OldCopy, Stamp.IsNone: false } && TryStartAbove(refusal.Stamp))
            || (refusal is { Kind: RefusalKind.Superseded, Stamp.IsNone: false } && (refusal.Stamp < _run || TryFollow(refusal.Stamp))))
            return;
        // That another life of this node has opened a session is no proof: whoever dials again is told the run of it.
        bool isProven = refusal.Kind is RefusalKind.Retired or RefusalKind.OldCopy || refusal is { Kind: RefusalKind.Superseded, Stamp.IsNone: false };
        if (isProven)
            Exclude(refusal);
    }

    /// <summary>Excludes this store if the sender of a hello knows it to be retired; then returns the refusal of the session.</summary>
    Refusal? ExcludeIfRetired(Hello hello)
    {
        if (!hello.Table.Retired.Contains(Identity.StoreId))
            return null;
        Exclude(RefusalReasons.Retired(Node));
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
        if (_run < hello.Runs[Node] && !TryFollow(hello.Runs[Node]))
        {
            Exclude(RefusalReasons.Superseded(Node, hello.Runs[Node]));
            return RefusalReasons.OwnRunIsSuperseded(Node);
        }
        var top = hello.Known.OfNode(Node).Top;
        bool isAhead = !_state.Known.Covers(hello.Known.OfNode(Node).Between(_run, top));
        bool hasWritten = Admission.IsOldCopy(Node, [.. Identity.Runs], hello.Known, hello.Runs);
        if (hasWritten || ((isAhead || Admission.IsOldCopy(Node, [_run], hello.Known, hello.Runs)) && !TryStartAbove(top)))
        {
            Exclude(RefusalReasons.OldCopy(Node, HlcTimestamp.None));
            return RefusalReasons.OwnFilesAreOldCopy(Node);
        }
        return null;
    }

    void Exclude(Refusal reason)
    {
        Exclusion = reason;
        if (reason.Kind == RefusalKind.Retired)
            Identity.IsDirty |= Identity.Retired.Add(Identity.StoreId);
    }

    /// <summary>
    /// A run below a later one of the store is given up for one above it, if it has written nothing: some times in a life of the process, since two copies that
    /// both run would do so for ever.
    /// </summary>
    bool TryFollow(HlcTimestamp laterRun)
    {
        const int MaxFollows = 8;
        return _follows < MaxFollows && TryStartAbove(laterRun) && ++_follows > 0;
    }

    /// <summary>
    /// A run that has written nothing is given up for one above stamps that an earlier life has issued; all sessions begin anew with it. What has been
    /// written cannot be taken back: it stands under stamps that others know as something else.
    /// </summary>
    bool TryStartAbove(HlcTimestamp known)
    {
        if (!IsJoined || _previous != _run || !_clock.Accepts(known))
            return false;
        _clock.AdvanceTo(known);
        StartRun();
        Identity.IsDirty = true;
        if (Exclusion is { Kind: not RefusalKind.Retired })
            Exclusion = null;
        foreach (byte peer in Sessions.Keys.ToArray())
            EndSession(peer, RefusalReasons.NewRun());
        return true;
    }
}
