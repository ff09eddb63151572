using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>
/// The members that count for the consistency levels: an immutable picture of what the commit loop knows, with the levels worked out once. A member is up
/// if it is in session and gossip does not hold it for down; one that is known not to have joined counts for nothing.
/// </summary>
sealed class StoreMembership
{
    static readonly int Levels = Enum.GetValues<Consistency>().Length;

    readonly ConsistencyRequirement?[] _requirements;
    readonly ConsistencyMember[] _members;
    readonly byte[] _waiting;               // the members that do not count yet
    readonly byte _node;

    StoreMembership(byte node, ConsistencyMember[] members, byte[] waiting, VersionVector known, ConsistencyRequirement?[] requirements)
    {
        _node = node;
        _members = members;
        _waiting = waiting;
        _requirements = requirements;
        Known = known;
    }

    public IReadOnlyList<ConsistencyMember> Members => _members;

    /// <summary>What the replica knows.</summary>
    public VersionVector Known { get; }

    /// <param name="replica">The replica whose members they are.</param>
    /// <param name="up">The nodes that are up as gossip says.</param>
    public static StoreMembership Of(Replica replica, NodeSet up) =>
        new(replica.Node, MembersOf(replica, up), [.. replica.Identity.Members.Keys.Where(node => !Counts(replica, node))], replica.State.Known,
            new ConsistencyRequirement?[Levels]);

    /// <summary>Returns the picture after a change; the same one if nothing has changed.</summary>
    public StoreMembership Refresh(Replica replica, NodeSet up)
    {
        bool isSameKnown = ReferenceEquals(Known, replica.State.Known);
        if (IsCurrent(replica, up))
            return isSameKnown ? this : new StoreMembership(_node, _members, _waiting, replica.State.Known, _requirements);
        return Of(replica, up);
    }

    public ConsistencyRequirement RequirementOf(Consistency level)
    {
        if (!Enum.IsDefined(level))
            throw new ArgumentOutOfRangeException(nameof(level), level, "There is no such consistency level.");
        return _requirements[(int)level] ??= ConsistencyRequirement.For(level, _node, Members);
    }

    /// <summary>Returns the members with what gossip knows of them, for error messages.</summary>
    public IReadOnlyList<ClusterMember> Describe(DatacakeNode node) => [.. Members.Select(member =>
        (node.Members.FirstOrDefault(known => known.NodeId == member.NodeId)
            ?? new ClusterMember(member.NodeId, "address unknown", member.DataCenter, 0, MemberState.Down, new Dictionary<string, string>()))
        with { State = member.IsUp ? MemberState.Up : MemberState.Down })];

    bool IsCurrent(Replica replica, NodeSet up)
    {
        // After each commit: the table itself is not gone through, which would cost memory.
        var table = replica.Identity.Members;
        if (table.Count != _members.Length + _waiting.Length)
            return false;
        foreach (byte node in _waiting)
        {
            if (!table.ContainsKey(node) || Counts(replica, node))
                return false;
        }
        foreach (var member in _members)
        {
            byte node = member.NodeId;
            if (!table.TryGetValue(node, out var known) || known.DataCenter != member.DataCenter || !Counts(replica, node) || IsUp(replica, node, up) != member.IsUp)
                return false;
        }
        return true;
    }

    static ConsistencyMember[] MembersOf(Replica replica, NodeSet up) =>
        [.. replica.Identity.Members.Where(member => Counts(replica, member.Key))
            .Select(member => new ConsistencyMember(member.Key, member.Value.DataCenter, IsUp(replica, member.Key, up)))];

    // Of a member that is away this replica may not have heard since it started: that one counts, lest a minority take itself for all.
    static bool Counts(Replica replica, byte node) => node == replica.Node || replica.HasRun(node) || !replica.Sessions.ContainsKey(node);

    static bool IsUp(Replica replica, byte node, NodeSet up) => node == replica.Node || (up.Contains(node) && replica.Sessions.ContainsKey(node));
}
