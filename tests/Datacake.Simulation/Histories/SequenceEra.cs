using Datacake.EventualConsistency.Sequencing;

namespace Datacake.Simulation.Histories;

/// <summary>The history of the sequence from a founding on.</summary>
/// <param name="founding">The founding.</param>
/// <param name="start">The serial documents that the founder showed once it had applied what it had inherited: the value by document, or null for none.</param>
sealed class SequenceEra(Founding founding, Dictionary<int, long?> start)
{
    public Founding Founding { get; } = founding;

    /// <summary>Gets the serial documents at the beginning.</summary>
    public Dictionary<int, long?> Base { get; } = start;

    /// <summary>Gets the numbers that the serial documents had at the beginning, by document.</summary>
    public IReadOnlyDictionary<int, long> Numbers { get; init; } = new Dictionary<int, long>();

    /// <summary>True if an operator has said so, and the founder knew all that it showed, without a gap.</summary>
    public bool IsWhole { get; init; }

    /// <summary>Gets what was decided, by index. An entry is not sure if the commit that has decided it may have failed.</summary>
    public SortedDictionary<ulong, (SequenceEntry Entry, bool IsSure)> Entries { get; } = [];

    /// <summary>Gets the transactions that the founder had inherited, and has applied when it founded the sequence anew.</summary>
    public IEnumerable<TransactionId> Inherited =>
        Entries.Where(entry => entry.Key <= LastInherited && entry.Value.Entry.Kind == SequenceEntryKind.Transaction).Select(static entry => entry.Value.Entry.Id);

    /// <summary>True if the founder has inherited a unique index, which is in force from the founding on.</summary>
    public bool InheritsUniqueIndexes => Entries.Any(entry => entry.Key <= LastInherited && entry.Value.Entry.Kind == SequenceEntryKind.UniqueIndexes);

    /// <summary>Gets what was decided after that, in order.</summary>
    public IEnumerable<SequenceEntry> Decided => Entries.Where(entry => entry.Key > LastInherited).Select(static entry => entry.Value.Entry);

    /// <summary>Gets or sets the index of the last entry that the founder had inherited.</summary>
    public ulong LastInherited { get; set; }
}
