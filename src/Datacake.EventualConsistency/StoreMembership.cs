using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>The members of the store as callers see them: an immutable picture of what the commit loop knows, with the levels worked out once.</summary>
sealed class StoreMembership
{
    static readonly int Levels = Enum.GetValues<Consistency>().Length;

    readonly ConsistencyRequirement?[] _requirements;
    readonly ConsistencyMember[] _members;
    readonly byte _node;

    StoreMembership(byte node, ConsistencyMember[] members, VersionVector known, ConsistencyRequirement?[] requirements)
    {
        _node = node;
        _members = members;
        _requirements = requirements;
        Known = known;
    }

    public IReadOnlyList<ConsistencyMember> Members => _members;

    /// <summary>What the replica knows.</summary>
    public VersionVector Known { get; }

    public static StoreMembership Of(Replica replica, DatacakeNode node) =>
        new(node.Id, MembersOf(replica, node.Id), replica.State.Known, new ConsistencyRequirement?[Levels]);

    /// <summary>The picture after a commit; the same one if nothing has changed.</summary>
    public StoreMembership Refresh(Replica replica, DatacakeNode node)
    {
        bool isSameKnown = ReferenceEquals(Known, replica.State.Known);
        if (IsCurrent(replica))
            return isSameKnown ? this : new StoreMembership(_node, _members, replica.State.Known, _requirements);
        return Of(replica, node);
    }

    public ConsistencyRequirement RequirementOf(Consistency level)
    {
        if (!Enum.IsDefined(level))
            throw new ArgumentOutOfRangeException(nameof(level), level, "There is no such consistency level.");
        return _requirements[(int)level] ??= ConsistencyRequirement.For(level, _node, Members);
    }

    /// <summary>The members with what gossip knows of them, for error messages.</summary>
    public IReadOnlyList<ClusterMember> Describe(DatacakeNode node) => [.. Members.Select(member =>
        (node.Members.FirstOrDefault(known => known.NodeId == member.NodeId)
            ?? new ClusterMember(member.NodeId, "address unknown", member.DataCenter, 0, MemberState.Down, new Dictionary<string, string>()))
        with { State = member.IsUp ? MemberState.Up : MemberState.Down })];

    bool IsCurrent(Replica replica)
    {
        if (replica.Identity.Members.Count != _members.Length)
            return false;
        foreach (var member in _members)
        {
            bool isUp = member.NodeId == replica.Node || replica.Sessions.ContainsKey(member.NodeId);
            if (isUp != member.IsUp || !replica.Identity.Members.TryGetValue(member.NodeId, out var known) || known.DataCenter != member.DataCenter)
                return false;
        }
        return true;
    }

    static ConsistencyMember[] MembersOf(Replica replica, byte local) =>
        [.. replica.Identity.Members.Select(member =>
            new ConsistencyMember(member.Key, member.Value.DataCenter, member.Key == local || replica.Sessions.ContainsKey(member.Key)))];
}
