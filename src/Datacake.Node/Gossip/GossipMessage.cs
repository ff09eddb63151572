namespace Datacake.Node.Gossip;

/// <summary>
/// The sender of a message, with its cluster and its clocks. It follows the body of the message, where other implementations ignore it.
/// Messages of other implementations have no sender.
/// </summary>
/// <param name="Id">The identity of the sender.</param>
/// <param name="ClusterId">The cluster of the sender.</param>
/// <param name="Stamp">The cluster clock of the sender, as an HLC timestamp; 0 if the sender has none.</param>
/// <param name="WallClock">The wall clock of the sender in Unix milliseconds; null if it was not sent. Then the stamp is ignored.</param>
/// <param name="Exchange">The number of the exchange, which its opener assigns and answers repeat; 0 if it has none.</param>
/// <param name="Store">The id of the sender's store; 0 if the sender has none.</param>
/// <param name="HoldsReceiverRetired">True if the sender knows that the receiver's store was retired.</param>
sealed record GossipSender(
    GossipId Id,
    string ClusterId,
    ulong Stamp,
    long? WallClock = null,
    ulong Exchange = 0,
    ulong Store = 0,
    bool HoldsReceiverRetired = false);

/// <summary>
/// A message of the gossip protocol. A node opens an exchange with a Syn, receives a SynAck, and ends the exchange with an Ack.
/// </summary>
abstract record GossipMessage(GossipSender? Sender)
{
    /// <summary>The opening message: a digest of the sender's knowledge.</summary>
    public sealed record Syn(Digest Digest, string ClusterId, GossipSender? Sender = null) : GossipMessage(Sender);

    /// <summary>The answer to a Syn: the delta that the receiver lacks, and a digest of the sender's knowledge.</summary>
    public sealed record SynAck(Digest Digest, Delta Delta, GossipSender? Sender = null) : GossipMessage(Sender);

    /// <summary>The answer to a SynAck: the delta that the receiver lacks.</summary>
    public sealed record Ack(Delta Delta, GossipSender? Sender = null) : GossipMessage(Sender);

    /// <summary>A refusal, because the receiver belongs to another cluster or uses the node id of the sender.</summary>
    public sealed record BadCluster(GossipSender? Sender = null) : GossipMessage(Sender);
}
