namespace Datacake.Node.Gossip;

/// <summary>The present content of one key of one node.</summary>
/// <param name="Value">Empty for a tombstone.</param>
/// <param name="Version">Made by the owner; no two entries of a node share one.</param>
/// <param name="Status">Whether it is visible, and for how long.</param>
/// <param name="Since">When it came to be as it is here, in ticks of the local clock: the ages of tombstones are each node's own.</param>
readonly record struct NodeEntry(string Value, ulong Version, EntryStatus Status, long Since)
{
    public bool IsVisible => Status != EntryStatus.Deleted;
}
