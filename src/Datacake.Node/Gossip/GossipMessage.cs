namespace Datacake.Node.Gossip;

/// <summary>
/// Who sent a message, from which cluster, and at what time. It travels behind the body, where an implementation that does not know
/// it ignores it; null in a message of such an implementation.
/// </summary>
/// <param name="Id">The sender.</param>
/// <param name="ClusterId">The cluster that it is of.</param>
/// <param name="Stamp">Its cluster clock, as an HLC timestamp; 0 if it keeps none.</param>
sealed record GossipSender(GossipId Id, string ClusterId, ulong Stamp);

/// <summary>One message of the gossip protocol: a node opens with a Syn, is answered with a SynAck, and closes with an Ack.</summary>
abstract record GossipMessage(GossipSender? Sender)
{
    /// <summary>What I know; tell me what I lack.</summary>
    public sealed record Syn(Digest Digest, string ClusterId, GossipSender? Sender = null) : GossipMessage(Sender);

    /// <summary>What you lack, and what I know; tell me what I lack.</summary>
    public sealed record SynAck(Digest Digest, Delta Delta, GossipSender? Sender = null) : GossipMessage(Sender);

    /// <summary>What you lack.</summary>
    public sealed record Ack(Delta Delta, GossipSender? Sender = null) : GossipMessage(Sender);

    /// <summary>You are of another cluster, or use my node id: there is nothing to talk about.</summary>
    public sealed record BadCluster(GossipSender? Sender = null) : GossipMessage(Sender);
}
