namespace Datacake.EventualConsistency;

/// <summary>The connection of a store with one of its members.</summary>
public enum MemberConnection
{
    /// <summary>The member is this node.</summary>
    Local,

    /// <summary>The member is in session and has nothing that this store lacks, as far as is known.</summary>
    InSession,

    /// <summary>The member is in session, and this store lacks something that it has.</summary>
    CatchingUp,

    /// <summary>Gossip sees the member, and there is no session with it.</summary>
    NoSession,

    /// <summary>One of the two refuses the other, and will as long as nothing changes.</summary>
    Refused,

    /// <summary>Gossip sees no heartbeats of the member.</summary>
    Down,

    /// <summary>Gossip has not seen the member since this node started.</summary>
    Unseen,

    /// <summary>The member has announced a planned stop.</summary>
    Left,
}
