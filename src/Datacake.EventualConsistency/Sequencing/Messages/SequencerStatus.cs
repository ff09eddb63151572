using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>The status of a sequencer, which it sends to the members with everything else.</summary>
/// <param name="Epoch">Its epoch.</param>
/// <param name="Heartbeat">The time between its heartbeats at present, in milliseconds.</param>
/// <param name="Round">The number of the round of heartbeats [S7].</param>
/// <param name="Decided">The index up to which entries are decided [S3].</param>
/// <param name="Limit">The limit of stamps that it asks for [S5].</param>
/// <param name="Applied">The index up to which entries are applied [S4].</param>
/// <param name="Token">The stamps that a replica must know to have the effects of those [S6].</param>
/// <param name="Founding">The founding of its sequence [S9].</param>
readonly record struct SequencerStatus(ulong Epoch, int Heartbeat, ulong Round, ulong Decided, HlcTimestamp Limit, ulong Applied, VersionVector Token, Founding Founding)
{
    const int MaxHeartbeat = 60_000;

    public void Write(ref MessagePackWriter writer)
    {
        writer.Write(Epoch);
        writer.Write(Heartbeat);
        writer.Write(Round);
        writer.Write(Decided);
        Record.WriteStamp(ref writer, Limit);
        writer.Write(Applied);
        Record.WriteVector(ref writer, Token);
        Founding.Write(ref writer);
    }

    public static SequencerStatus Read(ref MessagePackReader reader) => new(
        reader.ReadUInt64(), ReadHeartbeat(ref reader), reader.ReadUInt64(), reader.ReadUInt64(), Record.ReadStamp(ref reader), reader.ReadUInt64(), Record.ReadVector(ref reader),
        Founding.Read(ref reader));

    static int ReadHeartbeat(ref MessagePackReader reader) => reader.ReadInt32() is > 0 and <= MaxHeartbeat and var heartbeat
        ? heartbeat
        : throw new InvalidDataException($"The time between the heartbeats of a sequencer is not from 1 to {MaxHeartbeat} ms.");
}
