using MessagePack;

namespace Datacake.EventualConsistency.Sequencing.Messages;

/// <summary>A request for the token that a read must wait for to be linearizable [S7].</summary>
/// <param name="Attempt">The number under which the sender waits for the reply.</param>
sealed record BarrierRequest(ulong Attempt) : SequencingMessage
{
    protected override void Write(ref MessagePackWriter writer) => writer.Write(Attempt);

    public static BarrierRequest Read(ref MessagePackReader reader) => new(reader.ReadUInt64());
}
