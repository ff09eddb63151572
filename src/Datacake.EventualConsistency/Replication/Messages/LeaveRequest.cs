using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>The request of a store that leaves: retire it [R22]. The answer is the end of the session, with a refusal that says so, or nothing.</summary>
/// <param name="Known">The transactions that the sender has, and has ever said that it has.</param>
/// <param name="Proof">An operator's proof that the store is retired; empty where none is needed.</param>
sealed record LeaveRequest(VersionVector Known, ReadOnlyMemory<byte> Proof) : ReplicaMessage
{
    protected override MessageKind MessageKind => MessageKind.LeaveRequest;

    public override ReplicaMessage? FormFor(ProtocolVersion shared) => shared.HasLeaving ? this : null;

    protected override void Write(ref MessagePackWriter writer)
    {
        Record.WriteVector(ref writer, Known);
        writer.Write(Proof.Span);
    }

    public static LeaveRequest Read(ref MessagePackReader reader) => new(Record.ReadVector(ref reader), Record.ReadProof(ref reader));
}
