using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A hint to a replica that it lacks something that another node has, so that it fetches it at once.</summary>
/// <param name="Source">The node that has it.</param>
sealed record RepairHint(byte Source) : ReplicaMessage
{
    protected override MessageKind MessageKind => MessageKind.RepairHint;

    protected override void Write(ref MessagePackWriter writer) => writer.Write(Source);

    public static RepairHint Read(ref MessagePackReader reader) => new(reader.ReadByte());
}
