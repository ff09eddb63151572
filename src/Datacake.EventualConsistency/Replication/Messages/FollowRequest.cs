using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>The first message of a follower: a request for everything that it lacks, and for all changes from then on [R21].</summary>
/// <param name="Protocol">The protocol versions that the follower speaks, and its capabilities.</param>
/// <param name="ClusterId">The name of the cluster that it means to follow.</param>
/// <param name="Cluster">The random identity of the cluster that its copy is from, or 0 if it has none.</param>
/// <param name="StoreId">The random id of the follower's store, for logs.</param>
/// <param name="Known">The transactions whose effects the follower has.</param>
/// <param name="Truncated">The part of the known set that the follower has truncated.</param>
/// <param name="IsFresh">True if the follower has no whole copy yet.</param>
/// <param name="Resume">The position at which an earlier copy broke off, or <see langword="null"/>.</param>
/// <param name="IsFull">True if the follower has a whole copy and asks for a new one, because it differs from a member that knows the same.</param>
/// <param name="Keyspaces">The keyspaces that it follows, in ordinal order; none for all.</param>
sealed record FollowRequest(
    ProtocolVersion Protocol, string ClusterId, ulong Cluster, ulong StoreId, VersionVector Known, VersionVector Truncated, bool IsFresh, SeedPosition? Resume,
    bool IsFull, IReadOnlyList<string> Keyspaces) : ReplicaMessage
{
    protected override MessageKind MessageKind => MessageKind.FollowRequest;

    /// <summary>Returns the request for the difference between the follower and a member.</summary>
    public PullRequest ToPull() => new(Pull: 0, Known, Truncated, IsJoining: IsFresh, Resume, IsFull);

    protected override void Write(ref MessagePackWriter writer)
    {
        Protocol.Write(ref writer);
        writer.Write(ClusterId);
        writer.Write(Cluster);
        writer.Write(StoreId);
        Record.WriteVector(ref writer, Known);
        Record.WriteVector(ref writer, Truncated);
        writer.Write(IsFresh);
        writer.Write(Resume is not null);
        Resume?.Write(ref writer);
        writer.Write(IsFull);
        writer.WriteArrayHeader(Keyspaces.Count);
        foreach (string keyspace in Keyspaces)
            writer.Write(keyspace);
    }

    public static FollowRequest Read(ref MessagePackReader reader) => new(
        ProtocolVersion.Read(ref reader), Record.ReadName(ref reader), reader.ReadUInt64(), reader.ReadUInt64(), Record.ReadVector(ref reader), Record.ReadVector(ref reader),
        reader.ReadBoolean(), reader.ReadBoolean() ? SeedPosition.Read(ref reader) : null, reader.ReadBoolean(), ReadKeyspaces(ref reader));

    static string[] ReadKeyspaces(ref MessagePackReader reader)
    {
        var keyspaces = new string[Record.ReadCount(ref reader, ReplicatedStoreOptions.MaxFollowedKeyspaces, "keyspaces")];
        for (int i = 0; i < keyspaces.Length; i++)
            keyspaces[i] = Record.ReadName(ref reader);
        return keyspaces;
    }
}
