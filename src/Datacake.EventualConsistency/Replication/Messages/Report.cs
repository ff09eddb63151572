using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>The known set of a member's run. A later run replaces an earlier one (its tail may be lost), the same run adds.</summary>
readonly record struct PeerKnowledge(HlcTimestamp Run, VersionVector Known);

/// <summary>Asks for a report that names the call [R12].</summary>
sealed record RollCall(ulong Nonce) : ReplicaMessage
{
    protected override void Write(ref MessagePackWriter writer) => writer.Write(Nonce);

    public static RollCall Read(ref MessagePackReader reader) => new(reader.ReadUInt64());
}

/// <summary>What the sender has heard of all members, itself included [R10].</summary>
/// <param name="Nonce">The roll call that this answers, or 0.</param>
/// <param name="Cluster">The identity of the sender's cluster, or 0 if it has none yet; it may have joined one during the session.</param>
/// <param name="Clock">The sender's clock.</param>
/// <param name="WallClock">The time of the sender's wall clock.</param>
/// <param name="Fingerprint">The fingerprint of what the sender knows of, all keyspaces together, or null while that is changing [R15].</param>
/// <param name="Peers">The newest known set of each member that it has heard of.</param>
/// <param name="Boots">Its open sessions: with which life of which peer.</param>
/// <param name="Table">Whom it knows.</param>
sealed record Report(
    ulong Nonce, ulong Cluster, HlcTimestamp Clock, DateTimeOffset WallClock, UInt128? Fingerprint, IReadOnlyDictionary<byte, PeerKnowledge> Peers, IReadOnlyDictionary<byte, ulong> Boots, MemberTable Table) : ReplicaMessage
{
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

    /// <summary>As many as there are node ids.</summary>
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
