namespace Datacake.Node.Gossip;

/// <summary>Two nodes have nothing to talk about.</summary>
/// <param name="Peer">The other one; null if it did not say who it is.</param>
/// <param name="Reason">Why.</param>
/// <param name="IsOwnFault">
/// True if this node has to give way: of two that use the same node id, it has the retired store or was started later.
/// </param>
sealed record GossipRefusal(GossipSender? Peer, GossipRefusalReason Reason, bool IsOwnFault)
{
    /// <summary>The event and the remedy, for errors and logs.</summary>
    /// <param name="self">This node.</param>
    /// <param name="clusterId">The cluster of this node.</param>
    /// <param name="address">How the peer was dialed, or the host that it dialed from.</param>
    public string Describe(GossipId self, string clusterId, string address)
    {
        var other = Peer?.Id.ToString() ?? $"the node at {address}";
        return (Reason, IsOwnFault) switch
        {
            (GossipRefusalReason.SameNodeId, true) =>
                $"The node id {self.Name} is in use: {other} runs already, so that {self} cannot take part in "
                + $"cluster '{clusterId}'. Give each node an id of its own.",
            (GossipRefusalReason.SameNodeId, false) =>
                $"The node id {self.Name} is used twice in cluster '{clusterId}': {other} was started while {self} runs, "
                + "and was refused. Give each node an id of its own.",
            (GossipRefusalReason.RetiredStore, true) =>
                $"The store of {self} was retired from cluster '{clusterId}', and {other} has taken its place, so that it cannot take part. "
                + "Give this node an empty store and an id of its own.",
            (GossipRefusalReason.RetiredStore, false) =>
                $"The node id {self.Name} is used twice in cluster '{clusterId}': {other} runs with a store that was retired, and was refused. "
                + "Stop it, or give it an empty store and an id of its own.",
            _ => $"{Capitalized(self)} is of cluster '{clusterId}', and {other} is of "
                + $"{(Peer is { } known ? $"cluster '{known.ClusterId}'" : "another one")}: "
                + "they do not talk to each other. Give both the same cluster id, or take one out of the seeds of the other.",
        };
    }

    static string Capitalized(GossipId id) => $"Node{id.ToString()[4..]}";
}

/// <summary>Why two nodes do not talk.</summary>
enum GossipRefusalReason
{
    OtherCluster,
    SameNodeId,

    /// <summary>Both use one node id, and the store of one of them was retired.</summary>
    RetiredStore,
}
