using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>The answer to a <see cref="CommitRequest"/> or a <see cref="BarrierRequest"/>.</summary>
/// <param name="Attempt">The attempt that is answered.</param>
/// <param name="Outcome">The outcome.</param>
/// <param name="Token">The stamps that a replica must know to have everything that the outcome implies.</param>
/// <param name="Sequencer">The node that the answering one takes for the sequencer; null if it knows none. The node with the id 0 may be one.</param>
sealed record SequencerReply(ulong Attempt, SerialOutcome Outcome, VersionVector Token, byte? Sequencer) : SequencingMessage
{
    /// <summary>Gets the reason, if the outcome is <see cref="SerialOutcome.Conflict"/>; otherwise, null.</summary>
    public SerialRefusal? Refusal { get; init; }

    /// <summary>Gets the numbers that the transaction was assigned, in order.</summary>
    public IReadOnlyList<long> Numbers { get; init; } = [];

    /// <summary>Gets the founding of the sequence that the outcome is of [S9]; null if the reply is from an older version, which does not say so.</summary>
    public Founding? Founding { get; init; }

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Attempt);
        writer.Write((byte)Outcome);
        Record.WriteVector(ref writer, Token);
        if (Sequencer is { } sequencer)
            writer.Write(sequencer);
        else
            writer.WriteNil();
        SerialRefusal.Write(ref writer, Refusal);
        SerialNumber.WriteAll(ref writer, Numbers);
        Founding?.Write(ref writer);
    }

    public static SequencerReply Read(ref MessagePackReader reader) => new(
        reader.ReadUInt64(), (SerialOutcome)Record.ReadChoice(ref reader, (byte)SerialOutcome.Unknown, "outcome"), Record.ReadVector(ref reader), reader.TryReadNil() ? null : reader.ReadByte())
    {
        Refusal = SerialRefusal.ReadAny(ref reader),
        Numbers = SerialNumber.ReadAll(ref reader),
        Founding = reader.End ? null : Sequencing.Founding.Read(ref reader),
    };
}
