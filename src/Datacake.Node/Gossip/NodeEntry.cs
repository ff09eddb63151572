namespace Datacake.Node.Gossip;

/// <summary>The current entry of one key of one node.</summary>
/// <param name="Value">The value; empty for a tombstone.</param>
/// <param name="Version">The version, which the owner assigns and which is unique among the entries of the node.</param>
/// <param name="Status">The status.</param>
/// <param name="Since">
/// The timestamp, by the local clock, at which this node learned the entry. Each node measures the age of tombstones for itself.
/// </param>
readonly record struct NodeEntry(string Value, ulong Version, EntryStatus Status, long Since)
{
    public bool IsVisible => Status != EntryStatus.Deleted;
}
