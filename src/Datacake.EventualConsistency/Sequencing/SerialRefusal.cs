using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>Why a sequencer has refused a transaction, for good [S8].</summary>
/// <param name="Reason">The reason.</param>
/// <param name="Condition">
/// The index of the condition, if the reason is <see cref="RefusalReason.Document"/>; otherwise, the index of the range.
/// </param>
sealed record SerialRefusal(RefusalReason Reason, int Condition)
{
    /// <summary>Returns true if the refusal names something that a transaction has.</summary>
    public bool IsOf(SerialProposal proposal) => (uint)Condition < (uint)(Reason == RefusalReason.Document ? proposal.Conditions.Count : proposal.Ranges.Count);

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
    }

    /// <summary>Reads a refusal, or nil.</summary>
    public static SerialRefusal? ReadAny(ref MessagePackReader reader) => reader.TryReadNil() ? null : Read(ref reader);

    public static SerialRefusal Read(ref MessagePackReader reader)
    {
        var reason = (RefusalReason)Record.ReadChoice(ref reader, (byte)RefusalReason.NotSerial, "reason for a refusal");
        int condition = reader.ReadInt32();
        return condition >= 0 ? new SerialRefusal(reason, condition) : throw new InvalidDataException($"A refusal names the condition {condition}.");
    }
}
