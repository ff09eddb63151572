namespace Datacake.Node;

/// <summary>What became of a member.</summary>
public enum MembershipChangeKind
{
    /// <summary>It is new here; its state says whether it runs.</summary>
    Joined,

    /// <summary>It runs again, in the same life as before.</summary>
    Up,

    /// <summary>It has stopped without a word, or is cut off.</summary>
    Down,

    /// <summary>It has announced a planned stop.</summary>
    Left,

    /// <summary>A newer life of it took the place of the one known before; its state says whether it runs.</summary>
    Restarted,

    /// <summary>Its address, its data center or its labels changed.</summary>
    Updated,

    /// <summary>It has been gone for so long that the cluster no longer speaks of it.</summary>
    Forgotten,
}

/// <summary>A change of the membership, as this node sees it.</summary>
/// <param name="Kind">What became of the member.</param>
/// <param name="Member">The member after the change; for a forgotten one, as it was last known.</param>
public sealed record MembershipChange(MembershipChangeKind Kind, ClusterMember Member);
