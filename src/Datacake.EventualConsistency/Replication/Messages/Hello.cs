using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>The first message of a session, from each side [R6].</summary>
/// <param name="Version">The version of the messages that the sender speaks.</param>
/// <param name="ClusterId">The cluster that the sender belongs to.</param>
/// <param name="Node">The sender's node id.</param>
/// <param name="DataCenter">The sender's data centre.</param>
/// <param name="StoreId">The life of the sender's disk.</param>
/// <param name="Boot">The life of the sender's process.</param>
/// <param name="Run">The sender's run, or none if it has not joined.</param>
/// <param name="Clock">The sender's clock.</param>
/// <param name="Known">What the sender knows.</param>
/// <param name="Ancestors">The stores that the sender's first data came from.</param>
/// <param name="Table">Whom the sender knows.</param>
sealed record Hello(
    byte Version, string ClusterId, byte Node, string DataCenter, ulong StoreId, ulong Boot, HlcTimestamp Run, HlcTimestamp Clock, VersionVector Known,
    IReadOnlyList<ulong> Ancestors, MemberTable Table) : ReplicaMessage
{
    public const byte CurrentVersion = 1;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Version);
        writer.Write(ClusterId);
        writer.Write(Node);
        writer.Write(DataCenter);
        writer.Write(StoreId);
        writer.Write(Boot);
        Record.WriteStamp(ref writer, Run);
        Record.WriteStamp(ref writer, Clock);
        Record.WriteVector(ref writer, Known);
        Record.WriteNumbers(ref writer, Ancestors);
        Table.Write(ref writer);
    }

    public static Hello Read(ref MessagePackReader reader)
    {
        byte version = reader.ReadByte();
        if (version != CurrentVersion)
            throw new InvalidDataException($"The peer speaks version {version} of the replication protocol; this node speaks version {CurrentVersion}.");
        return new Hello(version, Record.ReadText(ref reader), reader.ReadByte(), Record.ReadText(ref reader), reader.ReadUInt64(), reader.ReadUInt64(),
            Record.ReadStamp(ref reader), Record.ReadStamp(ref reader), Record.ReadVector(ref reader), Record.ReadNumbers(ref reader), MemberTable.Read(ref reader));
    }
}
