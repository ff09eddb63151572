using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>A transaction for the sequencer to put into the sequence.</summary>
/// <param name="Attempt">The number under which the sender waits for the reply.</param>
/// <param name="Id">The identity of the transaction, the same in each attempt [S8].</param>
/// <param name="Conditions">What the caller has read.</param>
/// <param name="Operations">The effects.</param>
sealed record CommitRequest(ulong Attempt, TransactionId Id, IReadOnlyList<SerialCondition> Conditions, IReadOnlyList<SerialOperation> Operations) : SequencingMessage
{
    protected override bool IsSmall => false;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Attempt);
        Id.Write(ref writer);
        writer.WriteArrayHeader(Conditions.Count);
        foreach (var condition in Conditions)
            condition.Write(ref writer);
        OperationRecord.WriteAll(ref writer, Operations);
    }

    public static CommitRequest Read(ref MessagePackReader reader)
    {
        ulong attempt = reader.ReadUInt64();
        var id = TransactionId.Read(ref reader);
        var conditions = new SerialCondition[Record.ReadCount(ref reader, SerialCondition.MaxConditions, "conditions")];
        for (int i = 0; i < conditions.Length; i++)
            conditions[i] = SerialCondition.Read(ref reader);
        return new CommitRequest(attempt, id, conditions, OperationRecord.ReadAll(ref reader));
    }
}
