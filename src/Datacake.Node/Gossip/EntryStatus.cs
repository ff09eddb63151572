namespace Datacake.Node.Gossip;

/// <summary>The status of an entry. The numbers are those of the wire format.</summary>
enum EntryStatus : byte
{
    Set = 0,

    /// <summary>A tombstone, which is invisible and kept until every node has had time to learn about it.</summary>
    Deleted = 1,

    /// <summary>An entry that remains visible until it is collected like a tombstone.</summary>
    DeletedAfterTtl = 2,
}
