namespace Datacake.Node;

/// <summary>
/// A selector of the nodes that a read asks first. Writes need none because they go to all members at once. Implementations must be
/// thread-safe.
/// </summary>
public interface INodeSelector
{
    /// <summary>Returns the members to ask, the best first. If they do not answer in time, the other candidates are asked too.</summary>
    /// <param name="requirement">The requirement that the answers have to satisfy. The candidates can satisfy it.</param>
    /// <param name="local">The local node.</param>
    /// <param name="candidates">The members that are up, without the local node.</param>
    IReadOnlyList<ClusterMember> Choose(ConsistencyRequirement requirement, ClusterMember local, IReadOnlyList<ClusterMember> candidates);
}
