using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency.Membership;

/// <summary>
/// The members that count for the consistency levels: an immutable view of what the commit loop knows, with the requirements of the levels
/// computed once. A member is up if it is in session and gossip does not consider it down. A member that has not joined does not count.
/// </summary>
sealed class StoreMembership
{
    static readonly int Levels = Enum.GetValues<Consistency>().Length;

    readonly ConsistencyRequirement?[] _requirements;
    readonly ConsistencyMember[] _members;
    readonly byte[] _waiting;               // the members that do not count yet
    readonly (byte Node, long Session)[] _sessions;
    readonly byte _node;
    readonly int _expected;

    StoreMembership(StoreMembership before, (byte Node, long Session)[] sessions, VersionVector known)
        : this(before._node, before._expected, before._members, before._waiting, sessions, known, before._requirements)
    {
    }

    StoreMembership(
        byte node, int expected, ConsistencyMember[] members, byte[] waiting, (byte Node, long Session)[] sessions, VersionVector known, ConsistencyRequirement?[] requirements)
    {
        _node = node;
        _expected = expected;
        _members = members;
        _waiting = waiting;
        _sessions = sessions;
        _requirements = requirements;
        Known = known;
    }

    public IReadOnlyList<ConsistencyMember> Members => _members;

    /// <summary>Gets the transactions that the replica knows.</summary>
    public VersionVector Known { get; }

    /// <summary>Returns the view of a replica's members.</summary>
    /// <param name="replica">The replica.</param>
    /// <param name="up">The nodes that are up according to gossip.</param>
    /// <param name="expected">The minimum number of members.</param>
    public static StoreMembership Of(Replica replica, NodeSet up, int expected) => new(
        replica.Node, expected, MembersOf(replica, up), [.. replica.Identity.Members.Keys.Where(node => !Counts(replica, node))], SessionsOf(replica), replica.State.Known,
        new ConsistencyRequirement?[Levels]);

    /// <summary>Returns the view after a change; the same instance if nothing has changed.</summary>
    public StoreMembership Refresh(Replica replica, NodeSet up)
    {
        if (!IsCurrent(replica, up))
            return Of(replica, up, _expected);
        bool isSameKnown = ReferenceEquals(Known, replica.State.Known), areSameSessions = HasSessionsOf(replica);
        return isSameKnown && areSameSessions ? this : new StoreMembership(this, areSameSessions ? _sessions : SessionsOf(replica), replica.State.Known);
    }

    /// <summary>Returns true if a session with a node is open.</summary>
    public bool IsInSession(byte node, long session) => _sessions.Contains((node, session));

    /// <summary>Returns true if a node is a member, whether or not it counts already.</summary>
    public bool Knows(byte node) => _waiting.Contains(node) || _members.Any(member => member.NodeId == node);

    public ConsistencyRequirement RequirementOf(Consistency level)
    {
        if (!Enum.IsDefined(level))
            throw new ArgumentOutOfRangeException(nameof(level), level, "There is no such consistency level.");
        return _requirements[(int)level] ??= ConsistencyRequirement.For(level, _node, Members, _expected);
    }

    /// <summary>Returns the members with the information that gossip has about them, for error messages.</summary>
    public IReadOnlyList<ClusterMember> Describe(DatacakeNode node) => [.. Members.Select(member => Describe(member, node.Members.FirstOrDefault(known => known.NodeId == member.NodeId)))];

    static ClusterMember Describe(ConsistencyMember member, ClusterMember? known)
    {
        known ??= new ClusterMember(member.NodeId, "address unknown", member.DataCenter, 0, MemberState.Down, new Dictionary<string, string>());
        // Gossip may see a member as up that is not in session.
        return known with { State = member.IsUp ? MemberState.Up : known.State == MemberState.Left ? MemberState.Left : MemberState.Down };
    }

    bool IsCurrent(Replica replica, NodeSet up)
    {
        // Runs after each commit, so it looks members up in the table instead of enumerating it, which would allocate.
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

    bool HasSessionsOf(Replica replica)
    {
        if (replica.Sessions.Count != _sessions.Length)
            return false;
        foreach (var (node, session) in _sessions)
        {
            if (!replica.IsOpen(node, session))
                return false;
        }
        return true;
    }

    static (byte Node, long Session)[] SessionsOf(Replica replica) => [.. replica.Sessions.Select(static session => (session.Key, session.Value.Id))];

    static ConsistencyMember[] MembersOf(Replica replica, NodeSet up) =>
        [.. replica.Identity.Members.Where(member => Counts(replica, member.Key))
            .Select(member => new ConsistencyMember(member.Key, member.Value.DataCenter, IsUp(replica, member.Key, up)))];

    static bool Counts(Replica replica, byte node) => node == replica.Node || replica.Identity.Members[node].HasJoined;

    static bool IsUp(Replica replica, byte node, NodeSet up) => node == replica.Node || (up.Contains(node) && replica.Sessions.ContainsKey(node));
}
