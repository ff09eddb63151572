using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>The first message of a session, from each side [R6].</summary>
/// <param name="Protocol">The versions of the messages that the sender speaks, and what it can do beyond them.</param>
/// <param name="To">The node that the sender means to talk to, or null if it has dialed an address without knowing whose that is, or answers.</param>
/// <param name="ClusterId">The name of the cluster that the sender belongs to.</param>
/// <param name="Cluster">The random identity of that cluster, or 0 if the sender has not joined one.</param>
/// <param name="Node">The sender's node id.</param>
/// <param name="DataCenter">The sender's data center.</param>
/// <param name="StoreId">The life of the sender's disk.</param>
/// <param name="IsVolatile">True if the store is in memory.</param>
/// <param name="TakesOver">True if an operator has said that the store may take the place of another that is known under its node id.</param>
/// <param name="Boot">The life of the sender's process.</param>
/// <param name="Number">The hello's place among all that this life of the sender has sent: a later one was made later.</param>
/// <param name="IsInSession">True if the sender had an open session with the receiver when it made the hello.</param>
/// <param name="Run">The sender's run, or none if it has not joined.</param>
/// <param name="Clock">The sender's clock.</param>
/// <param name="WallClock">The time of the sender's wall clock, which the receiver compares with its own [R1].</param>
/// <param name="Known">What the sender knows.</param>
/// <param name="Runs">The newest runs that the sender knows of.</param>
/// <param name="OwnRuns">The sender's runs in which it has written, since it last knew all that exists of them.</param>
/// <param name="Ancestors">The stores that the sender's first data came from.</param>
/// <param name="Table">Whom the sender knows.</param>
sealed record Hello(
    ProtocolVersion Protocol, byte? To, string ClusterId, ulong Cluster, byte Node, string DataCenter, ulong StoreId, bool IsVolatile, bool TakesOver,
    ulong Boot, ulong Number, bool IsInSession,
    HlcTimestamp Run, HlcTimestamp Clock, DateTimeOffset WallClock, VersionVector Known, NodeRuns Runs,
    IReadOnlyList<HlcTimestamp> OwnRuns, IReadOnlyList<ulong> Ancestors, MemberTable Table)
    : ReplicaMessage
{
    const int MaxRuns = 1_024;
    const int MaxAncestors = 8_192;

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

    /// <summary>Reads a hello. What a later version appends is left unread.</summary>
    public static Hello Read(ref MessagePackReader reader) => new(
        ProtocolVersion.Read(ref reader), reader.TryReadNil() ? null : reader.ReadByte(), Record.ReadName(ref reader), reader.ReadUInt64(), reader.ReadByte(), Record.ReadName(ref reader), reader.ReadUInt64(),
        reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadUInt64(), reader.ReadUInt64(), reader.ReadBoolean(), Record.ReadStamp(ref reader), Record.ReadStamp(ref reader),
        new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero), Record.ReadVector(ref reader), NodeRuns.Read(ref reader), Record.ReadStamps(ref reader, MaxRuns, "runs"), Record.ReadNumbers(ref reader, MaxAncestors, "ancestors"),
        MemberTable.Read(ref reader));
}
