namespace Datacake.EventualConsistency.Links;

/// <summary>
/// A part of a session in which messages follow each other. Messages of different lanes share the session's stream, so that a long one in one lane holds
/// up those of another for one fragment at most.
/// </summary>
enum MessageLane : byte
{
    /// <summary>Messages that fit into one frame: most mutations, acknowledgements, reports, requests.</summary>
    Short,

    /// <summary>Longer messages of the same kinds.</summary>
    Long,

    /// <summary>The answer to a pull.</summary>
    Answer,

    /// <summary>Replies to reads.</summary>
    Reply,
}
