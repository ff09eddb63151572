using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The small durable state of a replica apart from its data: its own identity and the members that it knows [R6]. Changes set
/// <see cref="IsDirty"/>, and are forced to disk with the batch in which they are made.
/// </summary>
/// <remarks>See PROTOCOL.md: ancestor, cluster identity, own runs, store id.</remarks>
sealed class ReplicaIdentity
{
    public ReplicaIdentity(ulong storeId) => StoreId = storeId;

    public ulong StoreId { get; }

    /// <summary>
    /// Gets or sets the random identity of the cluster, made by the store that formed it and taken over by every store that joins; 0 before
    /// that. Stores of different clusters refuse each other, whatever the names of their clusters are [R6].
    /// </summary>
    public ulong Cluster { get; set; }

    /// <summary>True if the store is part of a cluster and may issue stamps.</summary>
    public bool IsJoined { get; set; }

    /// <summary>True if another replica may remember an earlier life of this node id, so that joining needs a roll call [R12].</summary>
    public bool MayHaveEarlierLife { get; set; }

    /// <summary>
    /// Gets the runs in which the store has written since it last knew everything that exists of its runs; only the latest ones, if there
    /// are very many. They expose an old copy of the files that was put back by hand [R5].
    /// </summary>
    public List<HlcTimestamp> Runs { get; } = [];

    /// <summary>Gets or sets the limit: no stamp above it was ever issued [R1].</summary>
    public HlcTimestamp Limit { get; set; }

    public SortedDictionary<byte, StoreMember> Members { get; } = [];

    public SortedSet<byte> Forgotten { get; } = [];

    public RetiredStores Retired { get; } = [];

    /// <summary>
    /// Gets the stores that this one took its first data from, directly or through others. An ancestor is removed once a member that knows
    /// this store has told it that the ancestor is retired.
    /// </summary>
    public SortedSet<ulong> Ancestors { get; } = [];

    /// <summary>Gets the nodes that were asked to retire this store, and may yet do it [R22].</summary>
    public SortedSet<byte> AskedToLeave { get; } = [];

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
        writer.WriteArrayHeader(identity.AskedToLeave.Count);
        foreach (byte node in identity.AskedToLeave)
            writer.Write(node);
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
        // Records of earlier versions end here.
        for (int i = reader.End ? 0 : Record.ReadCount(ref reader); i > 0; i--)
            identity.AskedToLeave.Add(reader.ReadByte());
        return identity;
    });
}
