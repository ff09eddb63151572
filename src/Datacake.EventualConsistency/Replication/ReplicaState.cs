using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// A replica's knowledge [R4]. It changes only in the storage commit that changes the data.
/// </summary>
/// <remarks>See PROTOCOL.md: known, purged.</remarks>
/// <param name="Known">The transactions whose effects the store holds.</param>
/// <param name="Truncated">The known transactions whose log records are removed, because every member has the transactions.</param>
/// <param name="Purged">The greatest stamp of anything that was purged.</param>
/// <param name="Runs">The newest run of each node from which any transaction is known [R5].</param>
sealed record ReplicaState(VersionVector Known, VersionVector Truncated, HlcTimestamp Purged, NodeRuns Runs)
{
    public static ReplicaState Empty { get; } = new(VersionVector.Empty, VersionVector.Empty, HlcTimestamp.None, NodeRuns.Empty);

    public byte[] Encode() => Record.Encode(this, static (ref writer, state) =>
    {
        Record.WriteVector(ref writer, state.Known);
        Record.WriteVector(ref writer, state.Truncated);
        Record.WriteStamp(ref writer, state.Purged);
        state.Runs.Write(ref writer);
    });

    public static ReplicaState Decode(ReadOnlyMemory<byte> encoded) => Record.Decode(encoded, "the replica's state", static (ref reader) =>
        new ReplicaState(Record.ReadVector(ref reader), Record.ReadVector(ref reader), Record.ReadStamp(ref reader), NodeRuns.Read(ref reader)));
}
