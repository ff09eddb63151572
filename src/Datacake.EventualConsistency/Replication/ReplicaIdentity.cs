using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The small durable state of a replica besides its data: who it is and whom it knows [R6]. A change marks it dirty, and is forced to disk with the
/// batch in which it happens.
/// </summary>
sealed class ReplicaIdentity
{
    public ReplicaIdentity(ulong storeId) => StoreId = storeId;

    public ulong StoreId { get; }

    /// <summary>
    /// The cluster's random identity, made by the store that formed it and taken over by every store that joins; 0 before. Stores of different clusters
    /// refuse each other, whatever their clusters are called [R6].
    /// </summary>
    public ulong Cluster { get; set; }

    /// <summary>Whether the store is part of a cluster and may issue stamps.</summary>
    public bool IsJoined { get; set; }

    /// <summary>Whether another replica may remember an earlier life of this node id, so that joining has to ask all [R12].</summary>
    public bool MayHaveEarlierLife { get; set; }

    /// <summary>
    /// The runs in which the store has written, since it last knew all that exists of them; the latest ones only, if they are very many. What betrays an old
    /// copy that was put back by hand [R5].
    /// </summary>
    public List<HlcTimestamp> Runs { get; } = [];

    /// <summary>No stamp above it was ever issued [R1].</summary>
    public HlcTimestamp Limit { get; set; }

    public SortedDictionary<byte, StoreMember> Members { get; } = [];

    public SortedSet<byte> Forgotten { get; } = [];

    public RetiredStores Retired { get; } = [];

    /// <summary>
    /// The stores that this one took its first data from, directly or through others; but for those of which a member that knows this one has told
    /// it that they are retired.
    /// </summary>
    public SortedSet<ulong> Ancestors { get; } = [];

    public bool IsDirty { get; set; } = true;

    public byte[] Encode() => Record.Encode(this, static (ref writer, identity) =>
    {
        writer.Write(identity.StoreId);
        writer.Write(identity.Cluster);
        writer.Write(identity.IsJoined);
        writer.Write(identity.MayHaveEarlierLife);
        Record.WriteStamp(ref writer, identity.Limit);
        Record.WriteStamps(ref writer, identity.Runs);
        writer.WriteArrayHeader(identity.Members.Count);
        foreach (var (node, member) in identity.Members)
        {
            writer.Write(node);
            member.Write(ref writer);
        }
        writer.WriteArrayHeader(identity.Forgotten.Count);
        foreach (byte node in identity.Forgotten)
            writer.Write(node);
        identity.Retired.Write(ref writer);
        Record.WriteNumbers(ref writer, identity.Ancestors);
    });

    public static ReplicaIdentity Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "the replica's identity", static (ref reader) =>
    {
        var identity = new ReplicaIdentity(reader.ReadUInt64())
        {
            Cluster = reader.ReadUInt64(),
            IsJoined = reader.ReadBoolean(),
            MayHaveEarlierLife = reader.ReadBoolean(),
            Limit = Record.ReadStamp(ref reader),
            IsDirty = false,
        };
        identity.Runs.AddRange(Record.ReadStamps(ref reader));
        for (int i = Record.ReadCount(ref reader); i > 0; i--)
            identity.Members.Add(reader.ReadByte(), StoreMember.Read(ref reader));
        for (int i = Record.ReadCount(ref reader); i > 0; i--)
            identity.Forgotten.Add(reader.ReadByte());
        foreach (var (storeId, proof) in RetiredStores.Read(ref reader))
            identity.Retired.Add(storeId, proof);
        identity.Ancestors.UnionWith(Record.ReadNumbers(ref reader));
        return identity;
    });
}
