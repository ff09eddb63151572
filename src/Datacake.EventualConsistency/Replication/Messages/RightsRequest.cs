using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A request for rights to a bounded counter [E6]. The answer is a transaction of the receiver, or nothing.</summary>
/// <param name="Keyspace">The keyspace of the document.</param>
/// <param name="Key">The key of the document.</param>
/// <param name="Property">The name of the counter.</param>
/// <param name="IsUp">True for rights to increase the counter, false for rights to decrease it.</param>
/// <param name="Amount">The amount that the sender needs; 0 to share evenly.</param>
/// <param name="Run">The run of the sender under which it takes the rights.</param>
sealed record RightsRequest(string Keyspace, DocumentKey Key, string Property, bool IsUp, long Amount, HlcTimestamp Run) : ReplicaMessage
{
    /// <summary>True, except that the answer is a transaction that needs room.</summary>
    public override bool MayUseReserve => false;

    protected override MessageKind MessageKind => MessageKind.RightsRequest;

    public override ReplicaMessage? FormFor(ProtocolVersion shared) => shared.HasRights ? this : null;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Keyspace);
        writer.Write(Key.Encoded.Span);
        writer.Write(Property);
        writer.Write(IsUp);
        writer.Write(Amount);
        Record.WriteStamp(ref writer, Run);
    }

    public static RightsRequest Read(ref MessagePackReader reader)
    {
        string keyspace = Record.ReadText(ref reader);
        KeyspaceCatalog.CheckName(keyspace);
        var key = new DocumentKey(Record.ReadBytes(ref reader));
        string property = reader.ReadString() ?? "";
        // Throws for a name that no document can have.
        _ = DocumentPath.OfProperty(property);
        var request = new RightsRequest(keyspace, key, property, reader.ReadBoolean(), reader.ReadInt64(), Record.ReadStamp(ref reader));
        return request.Amount >= 0 ? request : throw new InvalidDataException("A request for rights asks for a negative amount.");
    }
}
