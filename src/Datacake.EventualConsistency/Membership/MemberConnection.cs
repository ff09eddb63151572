namespace Datacake.EventualConsistency;

/// <summary>The state of a store's connection with one of its members.</summary>
public enum MemberConnection
{
    /// <summary>The local member, which is this node.</summary>
    Local,

    /// <summary>A session with a member that, as far as is known, has nothing that this store lacks.</summary>
    InSession,

    /// <summary>A session with a member that has transactions that this store still lacks.</summary>
    CatchingUp,

    /// <summary>No session, although gossip sees the member.</summary>
    NoSession,

    /// <summary>No session, because one of the two refuses the other, and will until something changes.</summary>
    Refused,

    /// <summary>A member whose heartbeats gossip no longer sees.</summary>
    Down,

    /// <summary>A member that gossip has not seen since this node started.</summary>
    Unseen,

    /// <summary>A member that has announced a planned stop.</summary>
    Left,

    /// <summary>A node that is down or has stopped, and whose store was a member until it was retired.</summary>
    Retired,
}
