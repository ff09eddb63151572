using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A request for the transactions that a replica has.</summary>
/// <param name="Id">The number of the request among the reads of the sender in this session.</param>
sealed record KnownRequest(ulong Id) : ReplicaMessage
{
    protected override MessageKind MessageKind => MessageKind.KnownRequest;

    protected override void Write(ref MessagePackWriter writer) => writer.Write(Id);

    public static KnownRequest Read(ref MessagePackReader reader) => new(reader.ReadUInt64());
}
