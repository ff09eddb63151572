namespace Datacake.EventualConsistency.Replication;

/// <summary>A member of the cluster, as the member table has it.</summary>
/// <param name="StoreId">Random, one per life of a disk: another one under the same node id means that the disk was replaced.</param>
/// <param name="DataCenter">The data centre, for the levels that count by it.</param>
readonly record struct StoreMember(ulong StoreId, string DataCenter);
