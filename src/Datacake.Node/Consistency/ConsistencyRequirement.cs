using System.Collections.Immutable;

namespace Datacake.Node;

/// <summary>
/// What a consistency level asks for among given members: which sets of acknowledgements satisfy it, and whether the members that
/// are up can. Immutable, so that one may be kept for as long as the membership does not change.
/// </summary>
public sealed class ConsistencyRequirement
{
    readonly ImmutableArray<Group> _groups;

    ConsistencyRequirement(Consistency level, byte localId, NodeSet up, NodeSet down, ImmutableArray<Group> groups)
    {
        Level = level;
        LocalId = localId;
        Up = up;
        Down = down;
        _groups = groups;
        IsReachable = IsSatisfiedBy(up);
    }

    /// <summary>The level.</summary>
    public Consistency Level { get; }

    /// <summary>The node that asks. It has always acknowledged.</summary>
    public byte LocalId { get; }

    /// <summary>The members that are up, the local node included.</summary>
    public NodeSet Up { get; }

    /// <summary>
    /// The members that are down or have left. They count as members: a majority stays a majority when nodes are missing.
    /// </summary>
    public NodeSet Down { get; }

    /// <summary>True if the members that are up can satisfy the level.</summary>
    public bool IsReachable { get; }

    /// <summary>What a level asks for.</summary>
    /// <param name="level">The level.</param>
    /// <param name="localId">The node that asks; it counts as up.</param>
    /// <param name="members">All members, the local node included, each once.</param>
    /// <param name="expected">How many members there will be at least: a majority is one of so many, and so is all.</param>
    /// <exception cref="ArgumentException">The local node is not among the members, or the level is not one.</exception>
    public static ConsistencyRequirement For(Consistency level, byte localId, IEnumerable<ConsistencyMember> members, int expected = 0)
    {
        var all = members.ToArray();
        if (!all.Any(member => member.NodeId == localId))
            throw new ArgumentException($"The local node {localId} is not among the members.", nameof(members));
        var up = SetOf(all.Where(member => member.IsUp)).With(localId);
        var down = SetOf(all).Except(up);
        return new ConsistencyRequirement(level, localId, up, down, [.. Groups(level, localId, all, expected)]);
    }

    /// <summary>What a level asks for among the members of a cluster.</summary>
    /// <inheritdoc cref="For(Consistency, byte, IEnumerable{ConsistencyMember}, int)"/>
    public static ConsistencyRequirement For(Consistency level, byte localId, IEnumerable<ClusterMember> members)
        => For(level, localId, members.Select(member => new ConsistencyMember(member.NodeId, member.DataCenter, member.IsUp)));

    /// <summary>
    /// True if these nodes, together with the local one, satisfy the level. Ids that are not of members count for nothing.
    /// </summary>
    public bool IsSatisfiedBy(NodeSet acknowledged)
    {
        acknowledged = acknowledged.With(LocalId);
        foreach (var group in _groups)
            if ((group.Nodes & acknowledged).Count < group.Required)
                return false;
        return true;
    }

    /// <summary>True if an acknowledgement of this node would bring the level closer.</summary>
    public bool IsNeeded(byte nodeId, NodeSet acknowledged)
    {
        acknowledged = acknowledged.With(LocalId);
        foreach (var group in _groups)
            if (group.Nodes.Contains(nodeId) && !acknowledged.Contains(nodeId) && (group.Nodes & acknowledged).Count < group.Required)
                return true;
        return false;
    }

    /// <summary>What is missing, for messages: <c>1 more of the members in data center 'eu' (nodes 2, 3)</c>; empty if nothing is.</summary>
    public string MissingFor(NodeSet acknowledged)
    {
        acknowledged = acknowledged.With(LocalId);
        return string.Join("; ", _groups.Select(group => group.MissingFor(acknowledged)).Where(missing => missing.Length > 0));
    }

    /// <summary>What the level asks for here, for messages: <c>Quorum asks for 2 of 3 members (nodes 1, 2, 3)</c>.</summary>
    public override string ToString()
        => $"{Level} asks for {(_groups.IsEmpty ? "the local node only" : string.Join(" and ", _groups))}";

    static IEnumerable<Group> Groups(Consistency level, byte localId, ConsistencyMember[] members, int expected)
    {
        var everyone = SetOf(members);
        switch (level)
        {
            case Consistency.None:
                break;
            case Consistency.One or Consistency.Two or Consistency.Three:
                yield return new Group("members besides the local one", everyone.Without(localId), level - Consistency.None);
                break;
            case Consistency.Quorum:
                yield return new Group("members", everyone, (Math.Max(everyone.Count, expected) / 2) + 1);
                break;
            case Consistency.LocalQuorum:
                var local = members.First(member => member.NodeId == localId).DataCenter;
                yield return Group.MajorityOf(
                    $"members in data center '{local}'", SetOf(members.Where(member => member.DataCenter == local)));
                break;
            case Consistency.EachQuorum:
                foreach (var center in members.GroupBy(member => member.DataCenter).OrderBy(center => center.Key, StringComparer.Ordinal))
                    yield return Group.MajorityOf($"members in data center '{center.Key}'", SetOf(center));
                break;
            case Consistency.All:
                yield return new Group("members", everyone, Math.Max(everyone.Count, expected));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(level), level, "There is no such consistency level.");
        }
    }

    static NodeSet SetOf(IEnumerable<ConsistencyMember> members)
        => members.Aggregate(default(NodeSet), static (set, member) => set.With(member.NodeId));

    /// <summary>So many of these nodes must have acknowledged.</summary>
    sealed record Group(string Name, NodeSet Nodes, int Required)
    {
        public static Group MajorityOf(string name, NodeSet nodes) => new(name, nodes, nodes.Count / 2 + 1);

        public string MissingFor(NodeSet acknowledged)
        {
            var missing = Required - (Nodes & acknowledged).Count;
            var candidates = Nodes.Except(acknowledged);
            if (missing <= 0)
                return "";
            return candidates.IsEmpty ? $"{missing} more of the {Name}" : $"{missing} more of the {Name} (nodes {candidates})";
        }

        public override string ToString() => Nodes.IsEmpty ? $"{Required} {Name}" : $"{Required} of {Nodes.Count} {Name} (nodes {Nodes})";
    }
}
