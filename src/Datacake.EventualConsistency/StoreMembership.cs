using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>
/// The members that count for the consistency levels: an immutable picture of what the commit loop knows, with the levels worked out once. A member is up
/// if it is in session and gossip does not hold it for down; one that has not joined counts for nothing.
/// </summary>
sealed class StoreMembership
{
    static readonly int Levels = Enum.GetValues<Consistency>().Length;

    readonly ConsistencyRequirement?[] _requirements;
    readonly ConsistencyMember[] _members;
    readonly byte _node;
    readonly int _expected;

    StoreMembership(byte node, int expected, ConsistencyMember[] members, VersionVector known, ConsistencyRequirement?[] requirements)
    {
        _node = node;
        _expected = expected;
        _members = members;
        _requirements = requirements;
        Known = known;
    }

    public IReadOnlyList<ConsistencyMember> Members => _members;

    /// <summary>What the replica knows.</summary>
    public VersionVector Known { get; }

    /// <param name="replica">The replica whose members they are.</param>
    /// <param name="up">The nodes that are up as gossip says.</param>
    /// <param name="expected">How many members there will be at least.</param>
    public static StoreMembership Of(Replica replica, NodeSet up, int expected) =>
        new(replica.Node, expected, MembersOf(replica, up), replica.State.Known, new ConsistencyRequirement?[Levels]);

    /// <summary>Returns the picture after a change; the same one if nothing has changed.</summary>
    public StoreMembership Refresh(Replica replica, NodeSet up)
    {
        bool isSameKnown = ReferenceEquals(Known, replica.State.Known);
        if (IsCurrent(replica, up))
            return isSameKnown ? this : new StoreMembership(_node, _expected, _members, replica.State.Known, _requirements);
        return Of(replica, up, _expected);
    }

    public ConsistencyRequirement RequirementOf(Consistency level)
    {
        if (!Enum.IsDefined(level))
            throw new ArgumentOutOfRangeException(nameof(level), level, "There is no such consistency level.");
        return _requirements[(int)level] ??= ConsistencyRequirement.For(level, _node, Members, _expected);
    }

    /// <summary>Returns the members with what gossip knows of them, for error messages.</summary>
    public IReadOnlyList<ClusterMember> Describe(DatacakeNode node) => [.. Members.Select(member =>
        (node.Members.FirstOrDefault(known => known.NodeId == member.NodeId)
            ?? new ClusterMember(member.NodeId, "address unknown", member.DataCenter, 0, MemberState.Down, new Dictionary<string, string>()))
        with { State = member.IsUp ? MemberState.Up : MemberState.Down })];

    bool IsCurrent(Replica replica, NodeSet up)
    {
        int count = 0;
        foreach (var (node, known) in replica.Identity.Members)
        {
            if (!Counts(replica, node, known))
                continue;
            if (count == _members.Length || _members[count] != new ConsistencyMember(node, known.DataCenter, IsUp(replica, node, up)))
                return false;
            count++;
        }
        return count == _members.Length;
    }

    static ConsistencyMember[] MembersOf(Replica replica, NodeSet up) =>
        [.. replica.Identity.Members.Where(member => Counts(replica, member.Key, member.Value))
            .Select(member => new ConsistencyMember(member.Key, member.Value.DataCenter, IsUp(replica, member.Key, up)))];


    static bool Counts(Replica replica, byte node, StoreMember member) => node == replica.Node || member.HasJoined;

    static bool IsUp(Replica replica, byte node, NodeSet up) => node == replica.Node || (up.Contains(node) && replica.Sessions.ContainsKey(node));
}
