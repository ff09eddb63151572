using System.Collections.Immutable;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>
/// The requirement of a consistency level for a given membership. It determines which sets of acknowledgments satisfy the level, and
/// whether the members that are up can satisfy it. Immutable, so it can be reused until the membership changes.
/// </summary>
public sealed class ConsistencyRequirement
{
    readonly ImmutableArray<Group> _groups;

    ConsistencyRequirement(Consistency level, byte localId, NodeSet up, NodeSet down, int expected, ImmutableArray<Group> groups, bool isReachableAsKnown)
    {
        Level = level;
        LocalId = localId;
        Up = up;
        Down = down;
        _groups = groups;
        IsReachable = IsSatisfiedBy(up);
        Expected = expected;
        IsBlockedByExpectation = !IsReachable && isReachableAsKnown;
    }

    /// <summary>Gets the consistency level.</summary>
    public Consistency Level { get; }

    /// <summary>Gets the id of the local node, which always counts as having acknowledged.</summary>
    public byte LocalId { get; }

    /// <summary>Gets the members that are up, including the local node.</summary>
    public NodeSet Up { get; }

    /// <summary>
    /// Gets the members that are down or have left. They still count as members, so a majority remains a majority of all members.
    /// </summary>
    public NodeSet Down { get; }

    /// <summary>True if the members that are up can satisfy the level.</summary>
    public bool IsReachable { get; }

    /// <summary>Gets the minimum number of members that the level assumes; 0 for none.</summary>
    internal int Expected { get; }

    /// <summary>True if the members could satisfy the level if all of them were up.</summary>
    internal bool IsReachableByMembers => IsSatisfiedBy(Up | Down);

    /// <summary>True if the members that are up could satisfy the level, were it not for members that are expected and have not joined.</summary>
    internal bool IsBlockedByExpectation { get; }

    /// <summary>Creates the requirement of a level.</summary>
    /// <param name="level">The consistency level.</param>
    /// <param name="localId">The id of the local node, which counts as up.</param>
    /// <param name="members">All members, including the local node, each of them once.</param>
    /// <param name="expected">
    /// The minimum number of members that <see cref="Consistency.Quorum"/> and <see cref="Consistency.All"/> assume, even if fewer are
    /// known.
    /// </param>
    /// <exception cref="ArgumentException">The local node is not among the members, or the level does not exist.</exception>
    internal static ConsistencyRequirement For(Consistency level, byte localId, IEnumerable<ConsistencyMember> members, int expected = 0)
    {
        var all = members.ToArray();
        if (!all.Any(member => member.NodeId == localId))
            throw new ArgumentException($"The local node {localId} is not among the members. Include it in the list.", nameof(members));
        var up = SetOf(all.Where(member => member.IsUp)).With(localId);
        var down = SetOf(all).Except(up);
        return new ConsistencyRequirement(
            level, localId, up, down, expected, [.. Groups(level, localId, all, expected)], Groups(level, localId, all, expected: 0).All(group => group.IsSatisfiedBy(up)));
    }

    /// <summary>Creates the requirement of <see cref="Consistency.Serial"/>: a majority of the voters.</summary>
    /// <param name="localId">The id of the local node, which counts as up.</param>
    /// <param name="members">All members, including the local node, each of them once.</param>
    /// <param name="voters">The voters that are members.</param>
    /// <param name="count">The number of voters, also of those that are no longer members.</param>
    /// <param name="retired">The voters that are no longer members, as far as their nodes are known.</param>
    internal static ConsistencyRequirement ForVoters(byte localId, IEnumerable<ConsistencyMember> members, NodeSet voters, int count, NodeSet retired)
    {
        var all = members.ToArray();
        var up = SetOf(all.Where(member => member.IsUp)).With(localId);
        return new ConsistencyRequirement(
            Consistency.Serial, localId, up, SetOf(all).Except(up), expected: 0, [new VoterGroup(voters, retired, count)], isReachableAsKnown: false);
    }

    /// <summary>
    /// Returns true if the given nodes, together with the local node, satisfy the level. Ids that do not belong to members are ignored.
    /// </summary>
    public bool IsSatisfiedBy(NodeSet acknowledged)
    {
        acknowledged = acknowledged.With(LocalId);
        foreach (var group in _groups)
            if (!group.IsSatisfiedBy(acknowledged))
                return false;
        return true;
    }

    /// <summary>
    /// Returns a description of the missing acknowledgments, such as <c>1 more of the members in data center 'eu' (nodes 2 and 3)</c>, or an
    /// empty string if none are missing.
    /// </summary>
    public string MissingFor(NodeSet acknowledged)
    {
        acknowledged = acknowledged.With(LocalId);
        return string.Join("; ", _groups.Select(group => group.MissingFor(acknowledged)).Where(missing => missing.Length > 0));
    }

    /// <summary>Returns a description of the requirement, such as <c>Quorum requires 2 of 3 members (nodes 1, 2, and 3)</c>.</summary>
    public override string ToString()
        => $"{Level} requires {(_groups.IsEmpty ? "the local node only" : string.Join(" and ", _groups))}";

    /// <summary>Returns the names of nodes for messages: <c>node 1</c>, <c>nodes 1 and 2</c>, or <c>nodes 1, 2, and 3</c>.</summary>
    internal static string NamesOf(NodeSet nodes)
    {
        byte[] ids = [.. nodes];
        return ids.Length switch
        {
            0 => "no node",
            1 => $"node {ids[0]}",
            2 => $"nodes {ids[0]} and {ids[1]}",
            _ => $"nodes {string.Join(", ", ids[..^1])}, and {ids[^1]}",
        };
    }

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
                yield return new Group("members", everyone, (Math.Max(everyone.Count, expected) / 2) + 1, expected);
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
                yield return new Group("members", everyone, Math.Max(everyone.Count, expected), expected);
                break;
            case Consistency.Serial:
                throw new ArgumentOutOfRangeException(nameof(level), level, "What the level Serial requires depends on the voters.");
            default:
                throw new ArgumentOutOfRangeException(nameof(level), level, "The consistency level does not exist.");
        }
    }

    static NodeSet SetOf(IEnumerable<ConsistencyMember> members)
        => members.Aggregate(default(NodeSet), static (set, member) => set.With(member.NodeId));

    /// <summary>A group of nodes, and the number of them that must acknowledge.</summary>
    /// <param name="Name">The name of the group, for messages.</param>
    /// <param name="Nodes">The nodes that are known.</param>
    /// <param name="Required">The number that must acknowledge.</param>
    /// <param name="Expected">The number that is expected, which may be more than are known; otherwise 0.</param>
    record Group(string Name, NodeSet Nodes, int Required, int Expected = 0)
    {
        public bool IsSatisfiedBy(NodeSet acknowledged) => (Nodes & acknowledged).Count >= Required;

        public static Group MajorityOf(string name, NodeSet nodes) => new(name, nodes, nodes.Count / 2 + 1);

        public virtual string MissingFor(NodeSet acknowledged)
        {
            var missing = Required - (Nodes & acknowledged).Count;
            var candidates = Nodes.Except(acknowledged);
            if (missing <= 0)
                return "";
            return candidates.IsEmpty ? $"{missing} more of the {Name}" : $"{missing} more of the {Name} ({NamesOf(candidates)})";
        }

        public override string ToString() => Expected > Nodes.Count ? $"{Required} of {Expected} expected {Name}, of which {Nodes.Count} {(Nodes.Count == 1 ? "has" : "have")} joined ({NamesOf(Nodes)})"
            : Nodes.IsEmpty ? $"{Required} {Name}" : $"{Required} of {Nodes.Count} {Name} ({NamesOf(Nodes)})";
    }

    /// <summary>The voters of serial transactions, of which a majority must acknowledge.</summary>
    /// <param name="Nodes">The voters that are members.</param>
    /// <param name="Retired">The voters that are no longer members, as far as their nodes are known.</param>
    /// <param name="Count">The number of all voters.</param>
    sealed record VoterGroup(NodeSet Nodes, NodeSet Retired, int Count) : Group("voters", Nodes, (Count / 2) + 1)
    {
        public override string MissingFor(NodeSet acknowledged)
        {
            string missing = base.MissingFor(acknowledged);
            return missing.Length > 0 && LeftText is { Length: > 0 } left ? $"{missing}; {left}" : missing;
        }

        public override string ToString()
        {
            string members = Nodes.IsEmpty ? "" : NamesOf(Nodes);
            string separator = members.Length > 0 && LeftText.Length > 0 ? "; " : "";
            return Count == 0 ? "a majority of the voters, which are not known here" : $"{Required} of {Count} voters ({members}{separator}{LeftText})";
        }

        /// <summary>Gets the voters that are no longer members, for messages; empty if there are none.</summary>
        string LeftText
        {
            get
            {
                int unnamed = Count - Nodes.Count - Retired.Count;
                return (Retired.Count, unnamed) switch
                {
                    (0, <= 0) => "",
                    (1, <= 0) => $"{NamesOf(Retired)} was retired",
                    (_, <= 0) => $"{NamesOf(Retired)} were retired",
                    (0, 1) => $"{(Nodes.IsEmpty ? "1" : "1 other")} was retired",
                    (0, _) => $"{unnamed}{(Nodes.IsEmpty ? "" : " others")} were retired",
                    _ => $"{NamesOf(Retired)} and {unnamed} {(unnamed == 1 ? "other" : "others")} were retired",
                };
            }
        }
    }
}
