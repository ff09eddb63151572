namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The reasons for which a sequencer refuses a transaction.</summary>
enum RefusalReason : byte
{
    /// <summary>A document is not as the caller has read it.</summary>
    Document,

    /// <summary>A range does not show the documents that the caller has read.</summary>
    Range,

    /// <summary>The ranges have more documents than a sequencer reads for one transaction.</summary>
    TooMuch,

    /// <summary>
    /// The sequencer's store does not have the index of a range, or has a different one of the name: its application is of another version. A range of
    /// keys has the same effect.
    /// </summary>
    UnknownIndex,

    /// <summary>A range is in a keyspace that is not serial, where nothing can be promised about it.</summary>
    NotSerial,

    /// <summary>A document would have a value of a unique index that another document has.</summary>
    Unique,

    /// <summary>A sequence of numbers has none left that its places can hold.</summary>
    NoNumber,

    /// <summary>An operation writes what only sequencers write, in a keyspace of the store's own.</summary>
    Reserved,

    /// <summary>The keyspace of an operation has another merge policy on the sequencer than on the caller.</summary>
    OtherPolicy,

    /// <summary>An operation replaces a living document that has a counter with bounds.</summary>
    Bounded,
}
