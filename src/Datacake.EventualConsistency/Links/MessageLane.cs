namespace Datacake.EventualConsistency.Links;

/// <summary>
/// A sequence of messages within a session. Messages of different lanes share the session's stream, so a long message of one lane delays
/// those of another by at most one fragment.
/// </summary>
/// <remarks>See PROTOCOL.md: lane.</remarks>
enum MessageLane : byte
{
    /// <summary>Messages that fit into one frame: most mutations, acknowledgments, reports, requests.</summary>
    Short,

    /// <summary>Longer messages of the same kinds.</summary>
    Long,

    /// <summary>The answer to a pull.</summary>
    Answer,

    /// <summary>Replies to reads.</summary>
    Reply,
}
