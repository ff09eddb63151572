using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>The first message of each side of a session [R6].</summary>
/// <remarks>See PROTOCOL.md: hello.</remarks>
/// <param name="Protocol">The protocol versions that the sender speaks, and its capabilities.</param>
/// <param name="To">
/// The node that the sender dialed; null if the sender answers, or dialed an address without knowing which node is there.
/// </param>
/// <param name="ClusterId">The name of the sender's cluster.</param>
/// <param name="Cluster">The random identity of the sender's cluster, or 0 if the sender has not joined one.</param>
/// <param name="Node">The sender's node id.</param>
/// <param name="DataCenter">The sender's data center.</param>
/// <param name="StoreId">The sender's store id: a random number, one per life of its disk.</param>
/// <param name="IsVolatile">True if the sender's store is in memory.</param>
/// <param name="TakesOver">
/// True if an operator allowed the store to replace another store that is known under the same node id [R19].
/// </param>
/// <param name="Boot">The sender's boot: a random number, one per life of its process.</param>
/// <param name="Number">The number of the hello among all hellos of this boot: a hello with a greater number was made later.</param>
/// <param name="IsInSession">True if the sender had an open session with the receiver when it made the hello.</param>
/// <param name="Run">The sender's run, or none if the sender has not joined.</param>
/// <param name="Clock">The sender's clock.</param>
/// <param name="WallClock">The sender's wall clock, which the receiver compares with its own [R1].</param>
/// <param name="Known">The sender's known set.</param>
/// <param name="Runs">The newest run of each node that the sender knows transactions of.</param>
/// <param name="OwnRuns">The runs in which the sender has written since it last knew everything that exists of its runs.</param>
/// <param name="Ancestors">The stores that the sender's first data came from.</param>
/// <param name="Table">The members that the sender knows.</param>
sealed record Hello(
    ProtocolVersion Protocol, byte? To, string ClusterId, ulong Cluster, byte Node, string DataCenter, ulong StoreId, bool IsVolatile, bool TakesOver,
    ulong Boot, ulong Number, bool IsInSession,
    HlcTimestamp Run, HlcTimestamp Clock, DateTimeOffset WallClock, VersionVector Known, NodeRuns Runs,
    IReadOnlyList<HlcTimestamp> OwnRuns, IReadOnlyList<ulong> Ancestors, MemberTable Table)
    : ReplicaMessage
{
    const int MaxRuns = 1_024;
    const int MaxAncestors = 8_192;

    protected override MessageKind MessageKind => MessageKind.Hello;

    protected override void Write(ref MessagePackWriter writer)
    {
        Protocol.Write(ref writer);
        if (To is { } to)
            writer.Write(to);
        else
            writer.WriteNil();
        writer.Write(ClusterId);
        writer.Write(Cluster);
        writer.Write(Node);
        writer.Write(DataCenter);
        writer.Write(StoreId);
        writer.Write(IsVolatile);
        writer.Write(TakesOver);
        writer.Write(Boot);
        writer.Write(Number);
        writer.Write(IsInSession);
        Record.WriteStamp(ref writer, Run);
        Record.WriteStamp(ref writer, Clock);
        writer.Write(WallClock.UtcTicks);
        Record.WriteVector(ref writer, Known);
        Runs.Write(ref writer);
        Record.WriteStamps(ref writer, OwnRuns);
        Record.WriteNumbers(ref writer, Ancestors);
        Table.Write(ref writer);
    }

    /// <summary>Reads a hello. Anything that a later version appends is ignored.</summary>
    public static Hello Read(ref MessagePackReader reader) => new(
        ProtocolVersion.Read(ref reader), reader.TryReadNil() ? null : reader.ReadByte(), Record.ReadName(ref reader), reader.ReadUInt64(), reader.ReadByte(), Record.ReadName(ref reader), reader.ReadUInt64(),
        reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadBoolean(), Record.ReadStamp(ref reader), Record.ReadStamp(ref reader),
        new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero), Record.ReadVector(ref reader), NodeRuns.Read(ref reader), Record.ReadStamps(ref reader, MaxRuns, "runs"), Record.ReadNumbers(ref reader, MaxAncestors, "ancestors"),
        MemberTable.Read(ref reader));
}
