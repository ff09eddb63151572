namespace Datacake.Node;

/// <summary>
/// The members that are up cannot satisfy the consistency level, so that nothing was done: nothing was written, nobody was asked.
/// Wait for nodes to come back, or use a lower level.
/// </summary>
public sealed class NotEnoughNodesException : Exception
{
    /// <summary>The requirement, and the members that it was asked of.</summary>
    public NotEnoughNodesException(ConsistencyRequirement requirement, IReadOnlyList<ClusterMember> members)
        : base(Describe(requirement, members))
    {
        Requirement = requirement;
        Members = members;
    }

    /// <summary>What could not be reached.</summary>
    public ConsistencyRequirement Requirement { get; }

    /// <summary>The level that was asked for.</summary>
    public Consistency Level => Requirement.Level;

    /// <summary>All members with their states at that moment.</summary>
    public IReadOnlyList<ClusterMember> Members { get; }

    static string Describe(ConsistencyRequirement requirement, IReadOnlyList<ClusterMember> members)
    {
        var up = string.Join(", ", members.Where(member => member.IsUp));
        var down = string.Join(", ", members.Where(member => !member.IsUp));
        return $"{requirement}, and the members that are up cannot give that; nothing was done. Up: {up}. "
            + $"Not up: {(down.Length == 0 ? "none" : down)}. Missing: {requirement.MissingFor(requirement.Up)}. "
            + "Wait until the nodes are back, or use a lower consistency level.";
    }
}
