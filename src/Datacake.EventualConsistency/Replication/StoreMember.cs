using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A member of the cluster in the member table.</summary>
/// <remarks>See PROTOCOL.md: member.</remarks>
/// <param name="StoreId">
/// A random number, one per life of a disk. A different one under the same node id means that the disk was replaced.
/// </param>
/// <param name="DataCenter">The data center, for the consistency levels that count by data center.</param>
/// <param name="HasJoined">True if the store has joined the cluster. Only then does it count for levels and majorities.</param>
/// <param name="IsVolatile">True if the store is in memory: it ends with its process, and another store may then replace it.</param>
/// <param name="TakesOver">True if an operator allowed the store to replace another one [R19].</param>
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
