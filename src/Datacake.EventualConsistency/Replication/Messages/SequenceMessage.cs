using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A message between the sequencers of two replicas. The replica passes it on unread.</summary>
/// <param name="IsSmall">True if storing the content of the message takes almost no space.</param>
/// <param name="Content">The encoded message.</param>
sealed record SequenceMessage(bool IsSmall, ReadOnlyMemory<byte> Content) : ReplicaMessage
{
    public override bool MayUseReserve => IsSmall;

    protected override MessageKind MessageKind => MessageKind.Sequence;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(IsSmall);
        writer.Write(Content.Span);
    }

    public static SequenceMessage Read(ref MessagePackReader reader) => new(reader.ReadBoolean(), Record.ReadBytes(ref reader));
}
