namespace Datacake.Node.Gossip;

/// <summary>Two nodes have nothing to talk about.</summary>
/// <param name="Peer">The other one; null if it did not say who it is.</param>
/// <param name="Reason">Why.</param>
/// <param name="IsOwnFault">True if this node has to give way: it is the later one of two that use the same node id.</param>
sealed record GossipRefusal(GossipSender? Peer, GossipRefusalReason Reason, bool IsOwnFault);

/// <summary>Why two nodes do not talk.</summary>
enum GossipRefusalReason
{
    OtherCluster,
    SameNodeId,
}
