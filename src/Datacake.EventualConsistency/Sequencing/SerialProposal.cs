using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Transactions;
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

    /// <summary>Gets the numbers that the sequencer assigns, in order.</summary>
    public IReadOnlyList<SerialNumber> Numbers { get; init; } = [];

    /// <summary>Checks that the parts fit together.</summary>
    /// <exception cref="InvalidDataException">They do not.</exception>
    /// <exception cref="ArgumentException">The name of a sequence is too long.</exception>
    public void Check()
    {
        foreach (var (policy, operation) in Operations)
        {
            // Conditions compare whole documents, and a later sequencer applies only the last write of each.
            if (policy == MergePolicy.Serial && operation.Kind == DocumentOperationKind.Update)
                throw new InvalidDataException($"An operation updates a document of the serial keyspace '{operation.Keyspace}', where documents are put as a whole.");
        }
        foreach (var number in Numbers)
            number.Check(Operations);
    }

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
        writer.WriteArrayHeader(Numbers.Count);
        foreach (var number in Numbers)
            number.Write(ref writer);
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
        var operations = OperationRecord.ReadAll(ref reader);
        var numbers = new SerialNumber[Record.ReadCount(ref reader, SerialNumber.MaxNumbers, "numbers")];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = SerialNumber.Read(ref reader);
        var proposal = new SerialProposal { Conditions = conditions, Ranges = ranges, UniqueIndexes = indexes, Operations = operations, Numbers = numbers };
        proposal.Check();
        return proposal;
    }
}
