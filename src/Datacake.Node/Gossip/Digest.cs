namespace Datacake.Node.Gossip;

/// <summary>How far its sender knows one node.</summary>
/// <param name="Id">The node.</param>
/// <param name="Heartbeat">The greatest heartbeat of it that the sender has heard of.</param>
/// <param name="LastGcVersion">The greatest version of it whose tombstone the sender has collected.</param>
/// <param name="MaxVersion">The sender has every entry of it up to this version.</param>
readonly record struct DigestEntry(GossipId Id, ulong Heartbeat, ulong LastGcVersion, ulong MaxVersion)
{
    public int EncodedLength => Id.EncodedLength + 24;
}

/// <summary>What a node knows of its cluster, in short: the first half of every exchange.</summary>
/// <param name="Entries">In the order of the identities; the receiver does not depend on it.</param>
/// <param name="IsPartial">
/// The sender knows more nodes than it names here. A node that is missing from a whole digest is unknown to the sender; about one that
/// is missing from a partial digest nothing is said.
/// </param>
sealed record Digest(IReadOnlyList<DigestEntry> Entries, bool IsPartial = false);
