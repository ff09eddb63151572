namespace Datacake.Node.Gossip;

/// <summary>An entry of a digest: a summary of the sender's knowledge about one node.</summary>
/// <param name="Id">The node.</param>
/// <param name="Heartbeat">The greatest heartbeat of the node that the sender knows.</param>
/// <param name="LastGcVersion">The greatest version of the node whose tombstone the sender has collected.</param>
/// <param name="MaxVersion">The version up to which the sender has all entries of the node.</param>
readonly record struct DigestEntry(GossipId Id, ulong Heartbeat, ulong LastGcVersion, ulong MaxVersion)
{
    public int EncodedLength => Id.EncodedLength + 24;
}

/// <summary>A summary of a node's knowledge about its cluster: the first half of every exchange.</summary>
/// <param name="Entries">The entries in the order of their identities. The receiver does not depend on the order.</param>
/// <param name="IsPartial">
/// True if the sender knows more nodes than the digest names. A node that is missing from a complete digest is unknown to the sender. A
/// node that is missing from a partial digest may be known.
/// </param>
sealed record Digest(IReadOnlyList<DigestEntry> Entries, bool IsPartial = false);
