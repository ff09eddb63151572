namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The kinds of entries in the sequence.</summary>
enum SequenceEntryKind : byte
{
    /// <summary>An entry without effects, with which each sequencer begins.</summary>
    Empty,

    /// <summary>A transaction.</summary>
    Transaction,

    /// <summary>A change of the voters.</summary>
    Voters,

    /// <summary>
    /// A transaction that was refused, because a condition did not hold. It is in the sequence so that it stays refused: a late copy of the request would
    /// otherwise be taken if the document has meanwhile become again what it was.
    /// </summary>
    Refusal,

    /// <summary>The records of unique indexes that a transaction has named, which are enforced from then on.</summary>
    UniqueIndexes,
}
