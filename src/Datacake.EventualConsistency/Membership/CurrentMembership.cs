using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Node;

namespace Datacake.EventualConsistency.Membership;

/// <summary>The current view of the members. Read by any thread; replaced on the commit loop.</summary>
sealed class CurrentMembership
{
    readonly StoreHost _host;
    readonly Replica _replica;
    readonly PeerConditions _conditions;
    volatile StoreMembership _current;
    volatile IReadOnlyList<StoreMemberState> _states;
    volatile string? _writeFate;
    NodeSet _up;                        // according to gossip; used by the commit loop alone

    public CurrentMembership(StoreHost host, Replica replica, PeerConditions conditions, int expected)
    {
        _host = host;
        _replica = replica;
        _conditions = conditions;
        _up = UpOf(host);
        _current = StoreMembership.Of(replica, _up, expected);
        _states = MemberStates.Of(host, replica, conditions);
    }

    public StoreMembership Current => _current;

    /// <summary>Gets one state per member, as of the last membership change or report.</summary>
    public IReadOnlyList<StoreMemberState> States => _states;

    /// <summary>
    /// Gets what becomes of a write that too few members have acknowledged, as a sentence for a message; <see langword="null"/> if the
    /// write replicates as usual.
    /// </summary>
    public string? WriteFate => _writeFate;

    /// <summary>
    /// Returns true if a node is no member of the cluster to which this store belongs: it was retired, or has never opened a session. Before this store has joined, every node may be one.
    /// </summary>
    public bool IsStranger(byte peer) => _states.Any(member => member is { State: MemberConnection.Local, HasJoined: true }) && !_current.Knows(peer);

    /// <summary>Updates the view after a commit.</summary>
    public void Refresh()
    {
        var before = _current;
        _current = before.Refresh(_replica, _up);
        if (!ReferenceEquals(before.Members, _current.Members))
            RefreshStates();
    }

    /// <summary>Updates the view when gossip reports a change, and at each tick.</summary>
    public void RefreshFromGossip()
    {
        _up = UpOf(_host);
        _current = _current.Refresh(_replica, _up);
        RefreshStates();
    }

    /// <summary>Returns the members that have not acknowledged a transaction, each with the reason.</summary>
    public IReadOnlyList<ConsistencyFailure> FailuresOf(NodeSet acknowledged) =>
        [.. Current.Members.Where(member => !acknowledged.Contains(member.NodeId) && member.NodeId != _host.Node.Id)
            .Select(member => new ConsistencyFailure(member.NodeId, member.IsUp ? "no acknowledgment arrived in time" : DownReasonOf(member.NodeId)))];

    /// <summary>Returns the reason why a member is not up, as a clause for a message.</summary>
    public string DownReasonOf(byte peer) => _conditions.ReasonOf(peer) is { } reason ? $"there is no session with it: {reason}" : "it is not connected";

    void RefreshStates()
    {
        _states = MemberStates.Of(_host, _replica, _conditions);
        _writeFate = _replica.Refusals.Values.FirstOrDefault(IsPermanent) is { } refusal
            ? $"The write is kept on this node only, because the other members refuse its store: {refusal.Reason}."
            : null;
    }

    static bool IsPermanent(Refusal refusal) => refusal.Kind is RefusalKind.Retired or RefusalKind.Superseded or RefusalKind.OldCopy;

    static NodeSet UpOf(StoreHost host) =>
        host.Members.Where(member => member.IsUp).Aggregate(default(NodeSet), static (set, member) => set.With(member.NodeId));
}
