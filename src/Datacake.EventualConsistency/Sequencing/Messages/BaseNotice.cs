using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>Tells a member that the sequencer no longer has what the member lacks: the store below brings it [S6].</summary>
/// <param name="Status">What the sequencer says of itself. Its token belongs to the base.</param>
/// <param name="Base">The index up to which the store below has the effects of all entries.</param>
/// <param name="BaseEpoch">The epoch of the entry at the base.</param>
/// <param name="Voters">The voters at the base.</param>
sealed record BaseNotice(SequencerStatus Status, ulong Base, ulong BaseEpoch, IReadOnlyList<Voter> Voters) : SequencingMessage
{
    protected override void Write(ref MessagePackWriter writer)
    {
        Status.Write(ref writer);
        writer.Write(Base);
        writer.Write(BaseEpoch);
        Voter.WriteAll(ref writer, Voters);
    }

    public static BaseNotice Read(ref MessagePackReader reader) => new(
        SequencerStatus.Read(ref reader), reader.ReadUInt64(), reader.ReadUInt64(), Voter.ReadAll(ref reader));
}
