using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>
/// The run and the known set of a member. A later run replaces an earlier one, whose tail may be lost; known sets of the same run are
/// united [R10].
/// </summary>
readonly record struct PeerKnowledge(HlcTimestamp Run, VersionVector Known);

/// <summary>A roll call: a request for a report that repeats the nonce of the call [R12].</summary>
sealed record RollCall(ulong Nonce) : ReplicaMessage
{
    protected override MessageKind MessageKind => MessageKind.RollCall;

    protected override void Write(ref MessagePackWriter writer) => writer.Write(Nonce);

    public static RollCall Read(ref MessagePackReader reader) => new(reader.ReadUInt64());
}

/// <summary>A report on the known sets of all members that the sender has heard of, including its own [R10].</summary>
/// <remarks>See PROTOCOL.md: report.</remarks>
/// <param name="Nonce">The roll call that the report answers, or 0.</param>
/// <param name="Cluster">
/// The identity of the sender's cluster, or 0 if it has none yet. A sender may join a cluster during the session.
/// </param>
/// <param name="Clock">The sender's clock.</param>
/// <param name="WallClock">The sender's wall clock.</param>
/// <param name="Fingerprint">The fingerprint of all keyspaces of the sender, or null while its known set is changing [R15].</param>
/// <param name="Peers">The newest known set of each member that the sender has heard of.</param>
/// <param name="Boots">The sender's open sessions: the boot of each peer, by node id.</param>
/// <param name="Table">The members that the sender knows.</param>
sealed record Report(
    ulong Nonce, ulong Cluster, HlcTimestamp Clock, DateTimeOffset WallClock, UInt128? Fingerprint, IReadOnlyDictionary<byte, PeerKnowledge> Peers, IReadOnlyDictionary<byte, ulong> Boots, MemberTable Table) : ReplicaMessage
{
    protected override MessageKind MessageKind => MessageKind.Report;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Nonce);
        writer.Write(Cluster);
        Record.WriteStamp(ref writer, Clock);
        writer.Write(WallClock.UtcTicks);
        Record.WriteNumber(ref writer, Fingerprint);
        writer.WriteArrayHeader(Peers.Count);
        foreach (var (node, peer) in Peers)
        {
            writer.Write(node);
            Record.WriteStamp(ref writer, peer.Run);
            Record.WriteVector(ref writer, peer.Known);
        }
        writer.WriteArrayHeader(Boots.Count);
        foreach (var (node, boot) in Boots)
        {
            writer.Write(node);
            writer.Write(boot);
        }
        Table.Write(ref writer);
    }

    /// <summary>The number of possible node ids.</summary>
    const int MaxNodes = 256;

    public static Report Read(ref MessagePackReader reader)
    {
        ulong nonce = reader.ReadUInt64(), cluster = reader.ReadUInt64();
        var clock = Record.ReadStamp(ref reader);
        var wallClock = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero);
        var fingerprint = Record.ReadNumber(ref reader);
        var peers = new Dictionary<byte, PeerKnowledge>();
        for (int i = Record.ReadCount(ref reader, MaxNodes, "peers"); i > 0; i--)
            peers[reader.ReadByte()] = new PeerKnowledge(Record.ReadStamp(ref reader), Record.ReadVector(ref reader));
        var boots = new Dictionary<byte, ulong>();
        for (int i = Record.ReadCount(ref reader, MaxNodes, "sessions"); i > 0; i--)
            boots[reader.ReadByte()] = reader.ReadUInt64();
        return new Report(nonce, cluster, clock, wallClock, fingerprint, peers, boots, MemberTable.Read(ref reader));
    }
}
