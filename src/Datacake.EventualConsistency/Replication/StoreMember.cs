using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A member of the cluster, as the member table has it.</summary>
/// <param name="StoreId">Random, one per life of a disk: another one under the same node id means that the disk was replaced.</param>
/// <param name="DataCenter">The data center, for the levels that count by it.</param>
/// <param name="HasJoined">True if the store has joined the cluster; it counts for levels and majorities from then on, and not before.</param>
/// <param name="IsVolatile">True if the store is in memory: it is gone with its process, and another may take its place.</param>
/// <param name="TakesOver">True if the store had an operator's word to take the place of another.</param>
readonly record struct StoreMember(ulong StoreId, string DataCenter, bool HasJoined, bool IsVolatile, bool TakesOver)
{
    public void Write(ref MessagePackWriter writer)
    {
        writer.Write(StoreId);
        writer.Write(DataCenter);
        writer.Write(HasJoined);
        writer.Write(IsVolatile);
        writer.Write(TakesOver);
    }

    public static StoreMember Read(ref MessagePackReader reader) =>
        new(reader.ReadUInt64(), Record.ReadName(ref reader), reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadBoolean());
}
