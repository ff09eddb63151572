namespace Datacake.Node.Gossip;

/// <summary>One key of one node, as it travels.</summary>
readonly record struct DeltaEntry(string Key, string Value, ulong Version, EntryStatus Status);

/// <summary>What the receiver of a delta lacks of one node: a run of its entries in ascending version, without a gap.</summary>
/// <param name="Id">The node whose entries these are.</param>
/// <param name="LastGcVersion">The greatest version of it whose tombstone the sender has collected.</param>
/// <param name="FromVersionExcluded">The entries follow on this version.</param>
/// <param name="Entries">In strictly ascending version.</param>
/// <param name="ExplicitMaxVersion">
/// Where the section ends, if not at its last entry: set by a sender that has collected everything which the receiver lacks.
/// </param>
sealed record NodeDelta(
    GossipId Id, ulong LastGcVersion, ulong FromVersionExcluded, IReadOnlyList<DeltaEntry> Entries, ulong? ExplicitMaxVersion = null)
{
    /// <summary>The version that the receiver has reached after it; 0 for an empty section, which has no effect.</summary>
    public ulong MaxVersion => ExplicitMaxVersion ?? (Entries.Count == 0 ? 0 : Entries[^1].Version);
}

/// <summary>What the receiver lacks, as far as it fits into one message: the second half of every exchange.</summary>
sealed record Delta(IReadOnlyList<NodeDelta> Nodes)
{
    public static readonly Delta Empty = new([]);
}
