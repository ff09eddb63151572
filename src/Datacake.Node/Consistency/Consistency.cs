namespace Datacake.Node;

/// <summary>
/// How many nodes must have acknowledged a write, or answered a read, before the call returns. Any set of nodes that satisfies
/// the level will do; whatever the level, a write goes to every node in the end.
/// </summary>
public enum Consistency
{
    /// <summary>The local node alone.</summary>
    None,

    /// <summary>The local node and one other.</summary>
    One,

    /// <summary>The local node and two others.</summary>
    Two,

    /// <summary>The local node and three others.</summary>
    Three,

    /// <summary>A majority of all members, the local node counted.</summary>
    Quorum,

    /// <summary>A majority of the members of the local data center, the local node counted.</summary>
    LocalQuorum,

    /// <summary>A majority of the members of every data center, the local node counted in its own.</summary>
    EachQuorum,

    /// <summary>Every member.</summary>
    All,
}
