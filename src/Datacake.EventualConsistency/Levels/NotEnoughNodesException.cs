using Datacake.EventualConsistency.Options;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>
/// The exception that is thrown when the members that are up cannot satisfy the consistency level. Nothing was written, and no node was
/// asked. Wait until nodes are back, or use a lower level. A lower level does not help serial keyspaces, whose documents are written at
/// <see cref="Consistency.Serial"/> alone: start the voters that are missing or, if they are lost for good, retire them and call
/// <see cref="ReplicatedStore.RecoverSerialAsync"/>.
/// </summary>
public sealed class NotEnoughNodesException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="requirement">The requirement that cannot be satisfied.</param>
    /// <param name="members">All members with their current states.</param>
    public NotEnoughNodesException(ConsistencyRequirement requirement, IReadOnlyList<ClusterMember> members)
        : this(requirement, members, store: "")
    {
    }

    /// <param name="requirement">The requirement that cannot be satisfied.</param>
    /// <param name="members">All members with their current states.</param>
    /// <param name="store">The name of the store; an empty text for the node's own store.</param>
    internal NotEnoughNodesException(ConsistencyRequirement requirement, IReadOnlyList<ClusterMember> members, string store)
        : base(SettingNames.ForStore(Describe(requirement, members, store), store))
    {
        Requirement = requirement;
        Members = members;
    }

    /// <summary>Gets the requirement that could not be satisfied.</summary>
    public ConsistencyRequirement Requirement { get; }

    /// <summary>Gets the requested level.</summary>
    public Consistency Level => Requirement.Level;

    /// <summary>Gets all members with their states at the time of the call.</summary>
    public IReadOnlyList<ClusterMember> Members { get; }

    static string Describe(ConsistencyRequirement requirement, IReadOnlyList<ClusterMember> members, string store)
    {
        var up = string.Join(", ", members.Where(member => member.IsUp));
        var down = string.Join(", ", members.Where(member => !member.IsUp));
        return $"{requirement}, but the members {(store.Length > 0 ? $"of the store '{store}' " : "")}that are up cannot satisfy this. Nothing was done. Up: {up}. "
            + $"Not up: {(down.Length == 0 ? "none" : down)}. Missing: {requirement.MissingFor(requirement.Up)}. {RemedyFor(requirement)}";
    }

    static string RemedyFor(ConsistencyRequirement requirement)
    {
        const string Anew = "begin the serial transactions anew at one node (RecoverSerialAsync, or datacake recover-serial); see 'A lost majority' in the OPERATIONS.md of Datacake.Hosting.";
        if (requirement.IsBlockedByExpectation)
            return $"Start the nodes that have not joined, or lower the expected number on all nodes ({SettingNames.Of(nameof(ReplicatedStoreOptions.ExpectedNodes))}).";
        if (requirement.Level != Consistency.Serial)
            return "Wait until the nodes are back, or use a lower consistency level.";
        // A lower level does not help: serial keyspaces are written at this one alone.
        return requirement.IsReachableByMembers
            ? $"Start the missing voters, or restore the connection to them. If they are lost for good, retire them (RetireAsync, or datacake retire), and {Anew}"
            : $"The voters that were retired do not come back: {Anew}";
    }
}
