namespace Datacake.EventualConsistency.Replication;

/// <summary>What a replica is told at its start.</summary>
/// <param name="ClusterId">The cluster that it belongs to.</param>
/// <param name="DataCenter">Its data centre.</param>
/// <param name="Boot">Random, one per life of the process.</param>
/// <param name="FreshStoreId">Random, for a store that has no id yet.</param>
/// <param name="MaxStep">So many records are forgotten, or cleared away, in one batch at most; the next ones go on.</param>
/// <param name="MaxAsserted">So many documents a transaction of a full reconcile has at most.</param>
sealed record ReplicaSettings(
    string ClusterId, string DataCenter, ulong Boot, ulong FreshStoreId, int MaxStep = 5_000, int MaxAsserted = 1_000);
