using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>The answer to a <see cref="CommitRequest"/> or a <see cref="BarrierRequest"/>.</summary>
/// <param name="Attempt">The attempt that is answered.</param>
/// <param name="Outcome">The outcome.</param>
/// <param name="Token">The stamps that a replica must know to have everything that the outcome implies.</param>
/// <param name="Sequencer">The node that the answering one takes for the sequencer; 0 if it knows none.</param>
/// <param name="Refusal">The reason, if the outcome is <see cref="SerialOutcome.Conflict"/>; otherwise, null.</param>
sealed record SequencerReply(ulong Attempt, SerialOutcome Outcome, VersionVector Token, byte Sequencer, SerialRefusal? Refusal = null) : SequencingMessage
{
    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Attempt);
        writer.Write((byte)Outcome);
        Record.WriteVector(ref writer, Token);
        writer.Write(Sequencer);
        SerialRefusal.Write(ref writer, Refusal);
    }

    public static SequencerReply Read(ref MessagePackReader reader) => new(
        reader.ReadUInt64(), (SerialOutcome)Record.ReadChoice(ref reader, (byte)SerialOutcome.Unknown, "outcome"), Record.ReadVector(ref reader), reader.ReadByte(),
        SerialRefusal.ReadAny(ref reader));
}
