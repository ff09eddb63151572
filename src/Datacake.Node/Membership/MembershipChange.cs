namespace Datacake.Node;

/// <summary>The kind of a membership change.</summary>
public enum MembershipChangeKind
{
    /// <summary>A member that is new to this node. Its state shows whether it is up.</summary>
    Joined,

    /// <summary>A member that is up again without having been restarted.</summary>
    Up,

    /// <summary>A member that stopped without an announcement or is cut off.</summary>
    Down,

    /// <summary>A member that has announced a planned stop.</summary>
    Left,

    /// <summary>A member that was restarted and has a new generation. Its state shows whether it is up.</summary>
    Restarted,

    /// <summary>A member whose address, data center or labels have changed.</summary>
    Updated,

    /// <summary>A member that was down for longer than <see cref="GossipOptions.ForgetAfter"/> and is no longer a member.</summary>
    Forgotten,
}

/// <summary>A change of the membership, as this node sees it.</summary>
/// <param name="Kind">The kind of the change.</param>
/// <param name="Member">The member after the change, or the last known state of a forgotten member.</param>
public sealed record MembershipChange(MembershipChangeKind Kind, ClusterMember Member);
