using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A request for everything that the sender lacks [R8].</summary>
/// <param name="Pull">The number of the pull among those of the sender.</param>
/// <param name="Known">The sender's known set.</param>
/// <param name="Truncated">The part of the known set that the sender has truncated.</param>
/// <param name="IsJoining">True if the sender has not joined yet and requests a full snapshot.</param>
/// <param name="Resume">
/// The position at which an earlier snapshot broke off and from which the sender would like to continue, or <see langword="null"/>.
/// </param>
/// <param name="IsFull">
/// True if the sender has joined and requests a full snapshot to merge, because the two replicas differ though they know the same [R15].
/// </param>
sealed record PullRequest(ulong Pull, VersionVector Known, VersionVector Truncated, bool IsJoining, SeedPosition? Resume = null, bool IsFull = false) : ReplicaMessage
{
    protected override MessageKind MessageKind => MessageKind.PullRequest;

    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Pull);
        Record.WriteVector(ref writer, Known);
        Record.WriteVector(ref writer, Truncated);
        writer.Write(IsJoining);
        writer.Write(Resume is not null);
        Resume?.Write(ref writer);
        writer.Write(IsFull);
    }

    public static PullRequest Read(ref MessagePackReader reader) =>
        new(reader.ReadUInt64(), Record.ReadVector(ref reader), Record.ReadVector(ref reader), reader.ReadBoolean(),
            reader.ReadBoolean() ? SeedPosition.Read(ref reader) : null, reader.ReadBoolean());
}

/// <summary>The position at which the seed of a joining store broke off [R16].</summary>
/// <param name="Base">The known set that every document up to <see cref="Last"/> reflects.</param>
/// <param name="Known">The known set that some of these documents may reflect.</param>
/// <param name="Last">The last document that was received.</param>
sealed record SeedPosition(VersionVector Base, VersionVector Known, DocumentName Last)
{
    /// <summary>
    /// Returns true if a snapshot with this state can continue the seed: it knows everything that the received documents may reflect, and
    /// its log covers everything that they may lack.
    /// </summary>
    public bool CanContinueAt(ReplicaState state) => state.Known.Covers(Known) && Base.Covers(state.Truncated);

    public void Write(ref MessagePackWriter writer)
    {
        Record.WriteVector(ref writer, Base);
        Record.WriteVector(ref writer, Known);
        Last.Write(ref writer);
    }

    public static SeedPosition Read(ref MessagePackReader reader) =>
        new(Record.ReadVector(ref reader), Record.ReadVector(ref reader), DocumentName.Read(ref reader));
}
