namespace Datacake.Node;

/// <summary>Whether a member runs, as far as this node can tell.</summary>
public enum MemberState
{
    /// <summary>It runs, and its heartbeats arrive.</summary>
    Up,

    /// <summary>Its heartbeats have stopped: it crashed, is cut off, or is not known for long enough to tell.</summary>
    Down,

    /// <summary>It has announced a planned stop.</summary>
    Left,
}
