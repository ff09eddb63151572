using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>A serial transaction, as its caller proposes it to the sequencer: its conditions and its effects.</summary>
sealed record SerialProposal
{
    /// <summary>Gets the documents that the caller has read.</summary>
    public IReadOnlyList<SerialCondition> Conditions { get; init; } = [];

    /// <summary>Gets the ranges that the caller has read.</summary>
    public IReadOnlyList<SerialRange> Ranges { get; init; } = [];

    /// <summary>
    /// Gets the unique indexes of the keyspaces that are written. One that the sequence has not had before makes the transaction wait until it is in force.
    /// </summary>
    public IReadOnlyList<UniqueIndex> UniqueIndexes { get; init; } = [];

    /// <summary>Gets the effects, in order.</summary>
    public IReadOnlyList<SerialOperation> Operations { get; init; } = [];

    public void Write(ref MessagePackWriter writer)
    {
        writer.WriteArrayHeader(Conditions.Count);
        foreach (var condition in Conditions)
            condition.Write(ref writer);
        writer.WriteArrayHeader(Ranges.Count);
        foreach (var range in Ranges)
            range.Write(ref writer);
        writer.WriteArrayHeader(UniqueIndexes.Count);
        foreach (var index in UniqueIndexes)
            index.Write(ref writer);
        OperationRecord.WriteAll(ref writer, Operations);
    }

    public static SerialProposal Read(ref MessagePackReader reader)
    {
        var conditions = new SerialCondition[Record.ReadCount(ref reader, SerialCondition.MaxConditions, "conditions")];
        for (int i = 0; i < conditions.Length; i++)
            conditions[i] = SerialCondition.Read(ref reader);
        var ranges = new SerialRange[Record.ReadCount(ref reader, SerialRange.MaxRanges, "ranges")];
        for (int i = 0; i < ranges.Length; i++)
            ranges[i] = SerialRange.Read(ref reader);
        var indexes = new UniqueIndex[Record.ReadCount(ref reader, UniqueIndex.MaxIndexes, "unique indexes")];
        for (int i = 0; i < indexes.Length; i++)
            indexes[i] = UniqueIndex.Read(ref reader);
        return new SerialProposal { Conditions = conditions, Ranges = ranges, UniqueIndexes = indexes, Operations = OperationRecord.ReadAll(ref reader) };
    }
}
