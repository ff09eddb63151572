using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>Asks for what the sender lacks [R8].</summary>
/// <param name="Pull">Names the pull among those of the sender.</param>
/// <param name="Known">What the sender knows.</param>
/// <param name="Truncated">What of it the sender has truncated.</param>
/// <param name="IsJoining">Whether the sender has yet to join, and wants a full snapshot.</param>
sealed record PullRequest(ulong Pull, VersionVector Known, VersionVector Truncated, bool IsJoining) : ReplicaMessage
{
    protected override void Write(ref MessagePackWriter writer)
    {
        writer.Write(Pull);
        Record.WriteVector(ref writer, Known);
        Record.WriteVector(ref writer, Truncated);
        writer.Write(IsJoining);
    }

    public static PullRequest Read(ref MessagePackReader reader) =>
        new(reader.ReadUInt64(), Record.ReadVector(ref reader), Record.ReadVector(ref reader), reader.ReadBoolean());
}
