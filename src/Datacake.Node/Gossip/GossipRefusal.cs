namespace Datacake.Node.Gossip;

/// <summary>A refusal of two nodes to gossip with each other.</summary>
/// <param name="Peer">The other node; null if its message does not name the sender.</param>
/// <param name="Reason">The reason of the refusal.</param>
/// <param name="IsOwnFault">
/// True if this node has to give way to another node with the same id, because its store was retired or because it started later.
/// </param>
sealed record GossipRefusal(GossipSender? Peer, GossipRefusalReason Reason, bool IsOwnFault)
{
    /// <summary>Returns a message for exceptions and logs with the cause and the remedy.</summary>
    /// <param name="self">This node.</param>
    /// <param name="clusterId">The cluster of this node.</param>
    /// <param name="address">The address at which the peer was dialed, or the host that it dialed from.</param>
    public string Describe(GossipId self, string clusterId, string address)
    {
        var other = Peer?.Id.ToString() ?? $"the node at {address}";
        return (Reason, IsOwnFault) switch
        {
            (GossipRefusalReason.SameNodeId, true) =>
                $"The node id {self.Name} is in use: {other} is already running. {Capitalized(self)} cannot take part in "
                + $"cluster '{clusterId}'. Give each node a unique id.",
            (GossipRefusalReason.SameNodeId, false) =>
                $"The node id {self.Name} is used twice in cluster '{clusterId}': {other} was started while {self} was running, "
                + "and was refused. Give each node a unique id.",
            (GossipRefusalReason.RetiredStore, true) =>
                $"The store of {self} was retired from cluster '{clusterId}', and {other} has taken its place. "
                + "Give this node an empty store and a unique id.",
            (GossipRefusalReason.RetiredStore, false) =>
                $"The node id {self.Name} is used twice in cluster '{clusterId}': {other} has a store that was retired, and was refused. "
                + "Stop that node, or give it an empty store and a unique id.",
            _ => $"{Capitalized(self)} belongs to cluster '{clusterId}', but {other} belongs to "
                + $"{(Peer is { } known ? $"cluster '{known.ClusterId}'" : "another cluster")}. "
                + "Give both nodes the same cluster id, or remove each from the seeds of the other.",
        };
    }

    static string Capitalized(GossipId id) => $"Node{id.ToString()[4..]}";
}

/// <summary>The reason why two nodes refuse to gossip with each other.</summary>
enum GossipRefusalReason
{
    OtherCluster,
    SameNodeId,

    /// <summary>Two nodes with the same id, of which one has a store that was retired.</summary>
    RetiredStore,
}
