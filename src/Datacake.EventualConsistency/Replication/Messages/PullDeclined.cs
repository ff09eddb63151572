using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>
/// The notice that the sender cannot answer a pull, or cannot finish the answer, so that the receiver need not wait for it [R8].
/// </summary>
/// <param name="Pull">The number of the pull, as in its request.</param>
sealed record PullDeclined(ulong Pull) : ReplicaMessage
{
    protected override MessageKind MessageKind => MessageKind.PullDeclined;

    protected override void Write(ref MessagePackWriter writer) => writer.Write(Pull);

    public static PullDeclined Read(ref MessagePackReader reader) => new(reader.ReadUInt64());
}
