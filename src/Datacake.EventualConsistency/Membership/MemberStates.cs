using Datacake.Crdt;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Node;

namespace Datacake.EventualConsistency.Membership;

/// <summary>The states of all members, put together from gossip, the replica and the links. Used on the commit loop.</summary>
static class MemberStates
{
    /// <summary>The delay up to which a member does not count as catching up, because mutations are always on their way.</summary>
    static readonly TimeSpan CatchingUpThreshold = TimeSpan.FromSeconds(2);

    /// <summary>Returns the states, ordered by node id.</summary>
    public static IReadOnlyList<StoreMemberState> Of(StoreHost host, Replica replica, PeerConditions conditions)
    {
        var seen = host.Members.ToDictionary(member => member.NodeId);
        return [.. seen.Keys.Union(replica.Identity.Members.Keys).Order()
            .Select(id => StateOf(id, seen.GetValueOrDefault(id), host, replica, conditions.ReasonOf(id)))];
    }

    static StoreMemberState StateOf(byte id, ClusterMember? seen, StoreHost host, Replica replica, string? reason)
    {
        string address = seen?.Address ?? "";
        if (id == host.Node.Id)
            return new StoreMemberState(id, address, MemberConnection.Local, replica.IsJoined, null, null);
        bool hasJoined = replica.Identity.Members.TryGetValue(id, out var member) && member.HasJoined;
        // A node without a store in the member table, of which a run is known, was a member once.
        if (seen is { IsUp: false } && member.StoreId == 0 && replica.IsJoined && !replica.State.Runs[id].IsNone)
            return new StoreMemberState(id, address, MemberConnection.Retired, HasJoined: false, null, null);
        if (seen?.State == MemberState.Left)
            return new StoreMemberState(id, address, MemberConnection.Left, hasJoined, null, null);
        if (seen?.State == MemberState.Down)
            return new StoreMemberState(id, address, MemberConnection.Down, hasJoined, null, reason ?? "its heartbeats have stopped");
        if (replica.Sessions.ContainsKey(id))
        {
            bool isBehind = BehindOf(id, replica, host.Node.TimeProvider.GetUtcNow()) is var behind && behind > CatchingUpThreshold;
            var state = isBehind ? MemberConnection.CatchingUp : MemberConnection.InSession;
            return new StoreMemberState(id, address, state, hasJoined, isBehind ? behind : null, null);
        }
        if (replica.Refusals.TryGetValue(id, out var refusal))
            return new StoreMemberState(id, address, MemberConnection.Refused, hasJoined, null, refusal.Reason);
        return seen is null
            ? new StoreMemberState(id, address, MemberConnection.Unseen, hasJoined, null, host.IsNamed ? $"according to gossip, it does not hold the store '{host.Name}' at present" : "gossip has not seen it")
            : new StoreMemberState(id, address, MemberConnection.NoSession, hasJoined, null, reason ?? "it has not been reached yet");
    }

    static TimeSpan BehindOf(byte peer, Replica replica, DateTimeOffset now)
    {
        var missing = replica.KnownOf(peer).Except(replica.State.Known);
        var oldest = now;
        foreach (byte origin in missing.Nodes)
        {
            var (low, high) = missing[origin][0];
            var since = (low.IsNone ? high : low).Time;
            oldest = since < oldest ? since : oldest;
        }
        return now - oldest;
    }
}
