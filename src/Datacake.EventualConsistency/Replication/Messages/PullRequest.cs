using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>Asks for what the sender lacks [R8].</summary>
/// <param name="Pull">Names the pull among those of the sender.</param>
/// <param name="Known">What the sender knows.</param>
/// <param name="Truncated">What of it the sender has truncated.</param>
/// <param name="IsJoining">Whether the sender has yet to join, and wants a full snapshot.</param>
/// <param name="Resume">Where an earlier snapshot broke off that the sender would like to go on with, or <see langword="null"/>.</param>
/// <param name="IsFull">True if the sender has joined, and wants a full snapshot to merge: the two differ though they know the same [R15].</param>
sealed record PullRequest(ulong Pull, VersionVector Known, VersionVector Truncated, bool IsJoining, SeedPosition? Resume = null, bool IsFull = false) : ReplicaMessage
{
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

/// <summary>Where the copy of a member's data on a store that joins broke off [R16].</summary>
/// <param name="Base">What all documents up to <see cref="Last"/> reflect.</param>
/// <param name="Known">What some of them may reflect.</param>
/// <param name="Last">The last document that has come.</param>
sealed record SeedPosition(VersionVector Base, VersionVector Known, DocumentName Last)
{
    /// <summary>Whether a store with this state can go on from here: it knows all that has come, and has the log of all that has not.</summary>
    public bool CanGoOnAt(ReplicaState state) => state.Known.Covers(Known) && Base.Covers(state.Truncated);

    public void Write(ref MessagePackWriter writer)
    {
        Record.WriteVector(ref writer, Base);
        Record.WriteVector(ref writer, Known);
        Last.Write(ref writer);
    }

    public static SeedPosition Read(ref MessagePackReader reader) =>
        new(Record.ReadVector(ref reader), Record.ReadVector(ref reader), DocumentName.Read(ref reader));
}
