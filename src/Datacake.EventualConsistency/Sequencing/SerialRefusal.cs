using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The refusal of a transaction by a sequencer, for good [S8].</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Condition">
/// The index of the condition, if the reason is <see cref="RefusalReason.Document"/>; of the operation, if it is <see cref="RefusalReason.Unique"/> or
/// <see cref="IsOfOperation"/>; of the number, if it is <see cref="RefusalReason.NoNumber"/>; otherwise, of the range.
/// </param>
sealed record SerialRefusal(RefusalReason Reason, int Condition)
{
    const int MaxNameLength = 200;

    /// <summary>Gets the name of the unique index that the operation violates, or an empty name.</summary>
    public string Index { get; init; } = "";

    /// <summary>Gets the key of the document that has the value; null if the reason is another one.</summary>
    public DocumentKey? Owner { get; init; }

    /// <summary>True if an operation is not permitted at all, so that no other state of the documents would help.</summary>
    public bool IsOfOperation => Reason is RefusalReason.Reserved or RefusalReason.OtherPolicy or RefusalReason.Bounded;

    /// <summary>Returns true if the refusal names something that a transaction has.</summary>
    public bool IsOf(SerialProposal proposal) => (uint)Condition < (uint)(Reason switch
    {
        RefusalReason.Document => proposal.Conditions.Count,
        RefusalReason.Unique or RefusalReason.Reserved or RefusalReason.OtherPolicy or RefusalReason.Bounded => proposal.Operations.Count,
        RefusalReason.NoNumber => proposal.Numbers.Count,
        _ => proposal.Ranges.Count,
    });

    /// <summary>Writes a refusal, or nil.</summary>
    public static void Write(ref MessagePackWriter writer, SerialRefusal? refusal)
    {
        if (refusal is null)
        {
            writer.WriteNil();
            return;
        }
        writer.Write((byte)refusal.Reason);
        writer.Write(refusal.Condition);
        if (refusal.Reason == RefusalReason.Unique)
        {
            writer.Write(refusal.Index);
            writer.Write(refusal.Owner!.Value.Encoded.Span);
        }
    }

    /// <summary>Reads a refusal, or nil.</summary>
    public static SerialRefusal? ReadAny(ref MessagePackReader reader) => reader.TryReadNil() ? null : Read(ref reader);

    public static SerialRefusal Read(ref MessagePackReader reader)
    {
        var reason = (RefusalReason)Record.ReadChoice(ref reader, (byte)RefusalReason.Bounded, "reason for a refusal");
        int condition = reader.ReadInt32();
        if (condition < 0)
            throw new InvalidDataException($"A refusal names the condition {condition}.");
        if (reason != RefusalReason.Unique)
            return new SerialRefusal(reason, condition);
        string index = Record.ReadText(ref reader);
        if (index.Length > MaxNameLength)
            throw new InvalidDataException($"A refusal names a unique index with a name of {index.Length} characters. The limit is {MaxNameLength}.");
        return new SerialRefusal(reason, condition) { Index = index, Owner = new DocumentKey(Record.ReadBytes(ref reader)) };
    }
}
