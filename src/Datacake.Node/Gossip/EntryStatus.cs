namespace Datacake.Node.Gossip;

/// <summary>What became of a key. The numbers are those of the wire.</summary>
enum EntryStatus : byte
{
    Set = 0,

    /// <summary>A tombstone: invisible, kept until every node has had time to hear of it.</summary>
    Deleted = 1,

    /// <summary>Visible until it is collected like a tombstone.</summary>
    DeletedAfterTtl = 2,
}
