using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>An entry of the sequence [S3].</summary>
/// <param name="Epoch">The epoch of the sequencer that made the entry.</param>
/// <param name="Kind">The kind of the entry.</param>
sealed record SequenceEntry(ulong Epoch, SequenceEntryKind Kind)
{
    byte[]? _encoded;

    /// <summary>Gets the identity of the transaction, if the entry is one or refuses one.</summary>
    public TransactionId Id { get; private init; }

    /// <summary>Gets the effects, if the entry is a transaction or has records. Its conditions were checked when it was appended, and are not kept.</summary>
    public IReadOnlyList<SerialOperation> Operations { get; private init; } = [];

    /// <summary>Gets the numbers that the transaction was assigned, in order, if the entry is one.</summary>
    public IReadOnlyList<long> Numbers { get; private init; } = [];

    /// <summary>Gets the voters, in ascending order, if the entry is a change of voters.</summary>
    public IReadOnlyList<Voter> Voters { get; private init; } = [];

    /// <summary>Gets the outcome, if the entry is or refuses a transaction.</summary>
    public RecordedOutcome Outcome => new(Id.Number, Refusal, Numbers);

    /// <summary>Gets the reason, if the entry refuses a transaction; otherwise, null.</summary>
    public SerialRefusal? Refusal { get; private init; }

    /// <summary>True if the entry is or refuses a transaction.</summary>
    public bool HasOutcome => Kind is SequenceEntryKind.Transaction or SequenceEntryKind.Refusal;

    /// <summary>True if the entry has anything to apply: effects, or an outcome to record.</summary>
    public bool MustBeApplied => HasOutcome || Kind == SequenceEntryKind.UniqueIndexes;

    /// <summary>Gets the encoded entry.</summary>
    public byte[] Encoded => _encoded ??= Record.Encode(this, static (ref writer, entry) => entry.Write(ref writer));

    public static SequenceEntry Empty(ulong epoch) => new(epoch, SequenceEntryKind.Empty);

    public static SequenceEntry Of(ulong epoch, TransactionId id, IReadOnlyList<SerialOperation> operations, IReadOnlyList<long> numbers) =>
        new(epoch, SequenceEntryKind.Transaction) { Id = id, Operations = operations, Numbers = numbers };

    public static SequenceEntry OfRefusal(ulong epoch, TransactionId id, SerialRefusal refusal) => new(epoch, SequenceEntryKind.Refusal) { Id = id, Refusal = refusal };

    public static SequenceEntry OfUniqueIndexes(ulong epoch, IReadOnlyList<SerialOperation> records) => new(epoch, SequenceEntryKind.UniqueIndexes) { Operations = records };

    public static SequenceEntry OfVoters(ulong epoch, IEnumerable<Voter> voters) => new(epoch, SequenceEntryKind.Voters) { Voters = [.. voters.Order()] };

    public static SequenceEntry Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "an entry of the sequence", static (ref reader) => Read(ref reader));

    void Write(ref MessagePackWriter writer)
    {
        writer.Write(Epoch);
        writer.Write((byte)Kind);
        if (Kind == SequenceEntryKind.Voters)
            Voter.WriteAll(ref writer, Voters);
        if (Kind == SequenceEntryKind.UniqueIndexes)
            OperationRecord.WriteAll(ref writer, Operations);
        if (!HasOutcome)
            return;
        Id.Write(ref writer);
        if (Kind == SequenceEntryKind.Refusal)
        {
            SerialRefusal.Write(ref writer, Refusal);
            return;
        }
        OperationRecord.WriteAll(ref writer, Operations);
        SerialNumber.WriteAll(ref writer, Numbers);
    }

    static SequenceEntry Read(ref MessagePackReader reader)
    {
        ulong epoch = reader.ReadUInt64();
        var kind = (SequenceEntryKind)Record.ReadChoice(ref reader, (byte)SequenceEntryKind.UniqueIndexes, "kind of entry");
        return kind switch
        {
            SequenceEntryKind.Transaction => Of(epoch, TransactionId.Read(ref reader), OperationRecord.ReadAll(ref reader), SerialNumber.ReadAll(ref reader)),
            SequenceEntryKind.Refusal => OfRefusal(epoch, TransactionId.Read(ref reader), SerialRefusal.Read(ref reader)),
            SequenceEntryKind.UniqueIndexes => OfUniqueIndexes(epoch, OperationRecord.ReadAll(ref reader)),
            SequenceEntryKind.Voters => OfVoters(epoch, Voter.ReadAll(ref reader)),
            _ => Empty(epoch),
        };
    }
}
