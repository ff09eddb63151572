namespace Datacake.Node;

/// <summary>The state of a member, as far as this node can tell.</summary>
public enum MemberState
{
    /// <summary>A member that is running and whose heartbeats arrive.</summary>
    Up,

    /// <summary>A member without heartbeats: it has crashed, is cut off, or has not been known for long enough to tell.</summary>
    Down,

    /// <summary>A member that has announced a planned stop.</summary>
    Left,
}
