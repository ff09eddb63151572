namespace Datacake.Node.Gossip;

/// <summary>
/// The choice of the nodes to talk to in a round: a few live nodes, sometimes a dead node, and a seed if the cluster may be partitioned.
/// </summary>
static class PeerSelection
{
    /// <summary>The number of live nodes to talk to in a round.</summary>
    const int Fanout = 3;

    /// <param name="live">The live nodes, without this one.</param>
    /// <param name="dead">All other known nodes.</param>
    /// <param name="seeds">The seeds, without this node.</param>
    /// <param name="random">The source of randomness.</param>
    public static IReadOnlyCollection<GossipTarget> Choose(
        IReadOnlyList<GossipTarget> live, IReadOnlyList<GossipTarget> dead, IReadOnlyList<GossipTarget> seeds, Random random)
    {
        var chosen = new HashSet<GossipTarget>();
        var candidates = (live.Count > 0 ? live : dead).ToArray();
        random.Shuffle(candidates);
        chosen.UnionWith(candidates.Take(Fanout));
        var reachesSeed = seeds.Any(seed => chosen.Any(peer => peer.Endpoint.Equals(seed.Endpoint)));

        if (dead.Count > 0 && random.NextDouble() < (double)dead.Count / (live.Count + 1))
            chosen.Add(dead[random.Next(dead.Count)]);

        if (seeds.Count > 0 && (!reachesSeed || live.Count < seeds.Count)
            && (live.Count == 0 || random.NextDouble() < (double)seeds.Count / (live.Count + dead.Count)))
            chosen.Add(seeds[random.Next(seeds.Count)]);
        return chosen;
    }
}
