namespace Datacake.Node;

/// <summary>
/// Chooses the nodes that a read asks first. Writes need no choice: they go to every member at once. Called from several threads.
/// </summary>
public interface INodeSelector
{
    /// <summary>Which members to ask, the best first. If they do not answer in time, the others are asked too.</summary>
    /// <param name="requirement">What the answers have to satisfy; it is reachable.</param>
    /// <param name="local">The node that asks.</param>
    /// <param name="candidates">The members that are up, without the local one.</param>
    IReadOnlyList<ClusterMember> Choose(ConsistencyRequirement requirement, ClusterMember local, IReadOnlyList<ClusterMember> candidates);
}
