namespace Datacake.EventualConsistency;

/// <summary>
/// The number of nodes that must acknowledge a write or answer a read before the call returns. Any set of nodes that satisfies the level
/// is sufficient. At every level, a write eventually reaches all nodes.
/// </summary>
public enum Consistency
{
    /// <summary>Only the local node.</summary>
    None,

    /// <summary>The local node and one other.</summary>
    One,

    /// <summary>The local node and two others.</summary>
    Two,

    /// <summary>The local node and three others.</summary>
    Three,

    /// <summary>A majority of all members, including the local node.</summary>
    Quorum,

    /// <summary>A majority of the members of the local data center, including the local node.</summary>
    LocalQuorum,

    /// <summary>A majority of the members of every data center. The local node counts in its own data center.</summary>
    EachQuorum,

    /// <summary>All members.</summary>
    All,

    /// <summary>
    /// The sequencer of the cluster, which orders transactions so that they are strictly serializable, and a majority of its voters. A write is put into the
    /// sequence, and takes effect on all nodes in its order. A read sees every write at this level that ended before the read began.
    /// </summary>
    Serial,
}
