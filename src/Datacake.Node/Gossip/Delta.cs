namespace Datacake.Node.Gossip;

/// <summary>An entry of a node, as it is sent.</summary>
readonly record struct DeltaEntry(string Key, string Value, ulong Version, EntryStatus Status);

/// <summary>A section of a delta: the entries of one node that the receiver lacks, without gaps.</summary>
/// <param name="Id">The node that owns the entries.</param>
/// <param name="LastGcVersion">The greatest version of the node whose tombstone the sender has collected.</param>
/// <param name="FromVersionExcluded">The version after which the entries begin.</param>
/// <param name="Entries">The entries in strictly ascending order of their versions.</param>
/// <param name="ExplicitMaxVersion">
/// The version at which the section ends, if that is not its last entry. Set by a sender that has collected all entries that the receiver
/// lacks.
/// </param>
sealed record NodeDelta(
    GossipId Id, ulong LastGcVersion, ulong FromVersionExcluded, IReadOnlyList<DeltaEntry> Entries, ulong? ExplicitMaxVersion = null)
{
    /// <summary>Gets the version that the receiver reaches with this section; 0 for an empty section, which has no effect.</summary>
    public ulong MaxVersion => ExplicitMaxVersion ?? (Entries.Count == 0 ? 0 : Entries[^1].Version);
}

/// <summary>The entries that the receiver lacks, as far as they fit into one message: the second half of every exchange.</summary>
sealed record Delta(IReadOnlyList<NodeDelta> Nodes)
{
    public static readonly Delta Empty = new([]);
}
