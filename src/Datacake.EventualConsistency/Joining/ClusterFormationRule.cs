using Datacake.EventualConsistency.Replication;

namespace Datacake.EventualConsistency.Joining;

/// <summary>
/// The rule by which a fresh store forms a new cluster [R12]. Failing to reach other nodes proves nothing: a cluster that is formed next to
/// an existing one has another identity, and the nodes of the existing cluster refuse it.
/// </summary>
static class ClusterFormationRule
{
    /// <summary>Returns true if the store must form a cluster.</summary>
    /// <param name="replica">The replica of the store.</param>
    /// <param name="isTold">True if the operator has declared this node the first one of a new cluster.</param>
    /// <param name="seeds">
    /// The node that has answered at each seed address, which may be this node; null for an address at which no node has answered.
    /// </param>
    public static bool MustForm(Replica replica, bool isTold, IReadOnlyList<byte?> seeds)
    {
        // A store that has met a cluster joins it, and so does a store that another node remembers.
        var identity = replica.Identity;
        if (replica.IsJoined || replica.HasPartOfSeed || identity.Cluster != 0 || identity.MayHaveEarlierLife)
            return false;
        if (isTold || seeds.All(seed => seed == replica.Node))
            return true;
        // If all nodes are fresh, the one with the lowest node id forms the cluster.
        return seeds.All(seed => seed is { } node && (node == replica.Node || replica.Sessions.ContainsKey(node)))
            && replica.Sessions.Keys.All(node => !replica.HasRun(node) && replica.IsHeard(node) && node > replica.Node);
    }
}
