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

    /// <summary>Whether the store is part of a cluster and may issue stamps.</summary>
    public bool IsJoined { get; set; }

    /// <summary>Whether another replica may remember an earlier life of this node id, so that joining has to ask all [R12].</summary>
    public bool MayHaveEarlierLife { get; set; }

    /// <summary>No stamp above it was ever issued [R1].</summary>
    public HlcTimestamp Limit { get; set; }

    public SortedDictionary<byte, StoreMember> Members { get; } = [];

    public SortedSet<byte> Forgotten { get; } = [];

    public SortedSet<ulong> Retired { get; } = [];

    /// <summary>
    /// The stores that this one took its first data from, directly or through others; but for those of which a member that knows this one has told
    /// it that they are retired.
    /// </summary>
    public SortedSet<ulong> Ancestors { get; } = [];

    public bool IsDirty { get; set; } = true;

    public byte[] Encode() => Record.Encode(this, static (ref writer, identity) =>
    {
        writer.Write(identity.StoreId);
        writer.Write(identity.IsJoined);
        writer.Write(identity.MayHaveEarlierLife);
        Record.WriteStamp(ref writer, identity.Limit);
        writer.WriteArrayHeader(identity.Members.Count);
        foreach (var (node, member) in identity.Members)
        {
            writer.Write(node);
            writer.Write(member.StoreId);
            writer.Write(member.DataCenter);
        }
        writer.WriteArrayHeader(identity.Forgotten.Count);
        foreach (byte node in identity.Forgotten)
            writer.Write(node);
        Record.WriteNumbers(ref writer, identity.Retired);
        Record.WriteNumbers(ref writer, identity.Ancestors);
    });

    public static ReplicaIdentity Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "the replica's identity", static (ref reader) =>
    {
        var identity = new ReplicaIdentity(reader.ReadUInt64())
        {
            IsJoined = reader.ReadBoolean(),
            MayHaveEarlierLife = reader.ReadBoolean(),
            Limit = Record.ReadStamp(ref reader),
            IsDirty = false,
        };
        for (int i = Record.ReadCount(ref reader); i > 0; i--)
            identity.Members.Add(reader.ReadByte(), new StoreMember(reader.ReadUInt64(), Record.ReadText(ref reader)));
        for (int i = Record.ReadCount(ref reader); i > 0; i--)
            identity.Forgotten.Add(reader.ReadByte());
        identity.Retired.UnionWith(Record.ReadNumbers(ref reader));
        identity.Ancestors.UnionWith(Record.ReadNumbers(ref reader));
        return identity;
    });
}
