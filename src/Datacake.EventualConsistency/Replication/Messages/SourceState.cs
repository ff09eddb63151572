using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>
/// The message of a member to its follower: the answer to the request, and from then on a sign of life, with what the member knows and has truncated [R21].
/// </summary>
/// <param name="Protocol">The protocol versions that the member speaks, and its capabilities.</param>
/// <param name="Cluster">The random identity of the cluster.</param>
/// <param name="Node">The member's node id.</param>
/// <param name="StoreId">The member's store id.</param>
/// <param name="Known">The transactions whose effects the member has.</param>
/// <param name="Truncated">The transactions that all members have, and that the member has truncated.</param>
/// <param name="Fingerprint">The fingerprint of the keyspaces that the follower asked for, in the state in which the member knows <paramref name="Known"/> [R15].</param>
sealed record SourceState(
    ProtocolVersion Protocol, ulong Cluster, byte Node, ulong StoreId, VersionVector Known, VersionVector Truncated, UInt128 Fingerprint) : ReplicaMessage
{
    protected override MessageKind MessageKind => MessageKind.SourceState;

    protected override void Write(ref MessagePackWriter writer)
    {
        Protocol.Write(ref writer);
        writer.Write(Cluster);
        writer.Write(Node);
        writer.Write(StoreId);
        Record.WriteVector(ref writer, Known);
        Record.WriteVector(ref writer, Truncated);
        Record.WriteNumber(ref writer, Fingerprint);
    }

    public static SourceState Read(ref MessagePackReader reader) => new(
        ProtocolVersion.Read(ref reader), reader.ReadUInt64(), reader.ReadByte(), reader.ReadUInt64(), Record.ReadVector(ref reader), Record.ReadVector(ref reader),
        Record.ReadNumber(ref reader) ?? throw new InvalidDataException("The state of a member has no fingerprint."));
}
