namespace Datacake.EventualConsistency.Remote;

/// <summary>The kinds of outcomes of a <see cref="RemoteCommit"/>. An unknown kind counts as <see cref="Unknown"/>. The numbers are part of the wire format.</summary>
enum RemoteOutcomeKind : byte
{
    /// <summary>The transaction was committed, at the level.</summary>
    Committed,

    /// <summary>It may have been committed.</summary>
    Unknown,

    /// <summary>A document does not meet a condition. Nothing was written.</summary>
    Conflict,

    /// <summary>An update names a document that does not exist. Nothing was written.</summary>
    NotFound,

    /// <summary>A counter would pass a bound. Nothing was written.</summary>
    CounterBound,

    /// <summary>The sequencer has refused the transaction. Nothing was written.</summary>
    SerialConflict,

    /// <summary>The transaction was committed, but not acknowledged by enough members in time.</summary>
    LevelNotReached,

    /// <summary>Too few members are up. Nothing was written.</summary>
    NotEnoughNodes,

    /// <summary>The transaction is too large. Nothing was written.</summary>
    TooLarge,

    /// <summary>The transaction is not valid. Nothing was written.</summary>
    Invalid,

    /// <summary>An operation is not permitted. Nothing was written.</summary>
    NotPermitted,

    /// <summary>The member cannot commit at present. Nothing was written, and another member may be able to.</summary>
    Unavailable,

    /// <summary>The member does not remember the transaction that was sent before: it was restarted, or never received it.</summary>
    NotRemembered,
}
