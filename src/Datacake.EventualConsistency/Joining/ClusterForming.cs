using Datacake.EventualConsistency.Replication;

namespace Datacake.EventualConsistency.Joining;

/// <summary>
/// Decides whether a fresh store forms a new cluster [R12]. To reach nobody proves nothing: a cluster that is formed beside an existing one would be another
/// one, which the nodes of the existing one refuse.
/// </summary>
static class ClusterForming
{
    /// <summary>Returns true if the store has to form a cluster now.</summary>
    /// <param name="replica">The replica of the store.</param>
    /// <param name="isTold">True if the operator says that this node is the first of a new cluster.</param>
    /// <param name="seeds">For each address that a seed stands for, the node that answered when it was dialed, which may be this one; or null if nobody has.</param>
    public static bool MustForm(Replica replica, bool isTold, IReadOnlyList<byte?> seeds)
    {
        // Who has met a cluster joins it, and so does who is remembered by somebody.
        var identity = replica.Identity;
        if (replica.IsJoined || replica.HasPartOfSeed || identity.Cluster != 0 || identity.MayHaveEarlierLife)
            return false;
        if (isTold || seeds.All(seed => seed == replica.Node))
            return true;
        // All are fresh: the one with the lowest node id forms.
        return seeds.All(seed => seed is { } node && (node == replica.Node || replica.Sessions.ContainsKey(node)))
            && replica.Sessions.Keys.All(node => !replica.HasRun(node) && replica.IsHeard(node) && node > replica.Node);
    }
}
