using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>
/// Decides when a fresh store may declare itself the first of a new cluster [R12]: if the node has no seeds but itself; if it is the first of its own
/// seeds, and has met no joined one for a while; or if all its seeds are there and fresh too, and none has a lower node id.
/// </summary>
sealed class ClusterJoining(DatacakeNode node, Replica replica)
{
    /// <summary>So many ticks the first seed looks for a joined one, before it forms a cluster.</summary>
    const int PatienceTicks = 4;

    int _ticks;

    string[] OtherSeeds => [.. node.Seeds.Where(seed => seed != node.Address)];

    /// <summary>Whether the store has to form the cluster now. Called on the commit loop, at each tick.</summary>
    public bool MustForm()
    {
        if (replica.HasPartOfSeed)
            return false;
        if (OtherSeeds.Length == 0)
            return true;
        bool isAnyJoined = replica.Sessions.Keys.Any(replica.HasRun);
        if (isAnyJoined)
            return false;
        if (node.Seeds[0] == node.Address)
            return ++_ticks > PatienceTicks;
        var peers = node.Members.Where(member => replica.Sessions.ContainsKey(member.NodeId)).ToArray();
        return OtherSeeds.All(seed => peers.Any(peer => peer.Address == seed)) && peers.All(peer => peer.NodeId > node.Id);
    }

    /// <summary>Why the store has not joined, and what to do, for errors and logs.</summary>
    public string Describe()
    {
        if (replica.IsWaitingForRoll)
        {
            return $"an earlier life of node {node.Id} may be remembered by nodes {string.Join(", ", replica.AwaitedMembers)}, which have to be asked first. "
                + "Start them, or retire those that are gone for good.";
        }
        if (replica.HasPartOfSeed && replica.Sessions.Count == 0)
        {
            return $"it has a part of the cluster's data, and no node is reachable that has the rest. Start one that has; or, to begin a new cluster, "
                + "remove this store's files first.";
        }
        string seeds = string.Join(", ", OtherSeeds);
        return replica.Sessions.Count == 0
            ? $"none of its seeds ({seeds}) can be reached. Start one of them; or, if this is the first node of a new cluster, put its own address first in its seeds, or give it none."
            : $"the nodes that it reaches ({string.Join(", ", replica.Sessions.Keys)}) have not joined either, and not all of its seeds ({seeds}) are there. "
                + "Start the others; or, for a new cluster, put the first node's own address first in its seeds.";
    }
}
