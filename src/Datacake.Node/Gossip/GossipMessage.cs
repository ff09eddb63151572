namespace Datacake.Node.Gossip;

/// <summary>
/// The sender of a message, its cluster and its clocks. It travels behind the body, where an implementation that does not know
/// it ignores it; null in a message of such an implementation.
/// </summary>
/// <param name="Id">The sender.</param>
/// <param name="ClusterId">The cluster that it belongs to.</param>
/// <param name="Stamp">Its cluster clock, as an HLC timestamp; 0 if it keeps none.</param>
/// <param name="WallClock">Its wall clock in Unix milliseconds; null if it did not send it, and then its cluster clock counts for nothing.</param>
/// <param name="Exchange">The number that the opener of the exchange gave it, which answers repeat; 0 if it gave none.</param>
/// <param name="Store">The id of its store; 0 if it has none.</param>
/// <param name="HoldsReceiverRetired">True if it knows that the store of the receiver was retired.</param>
sealed record GossipSender(
    GossipId Id,
    string ClusterId,
    ulong Stamp,
    long? WallClock = null,
    ulong Exchange = 0,
    ulong Store = 0,
    bool HoldsReceiverRetired = false);

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
