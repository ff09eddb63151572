namespace Datacake.Administration.Contracts;

/// <summary>The description of a replicated store.</summary>
/// <param name="Format">The format of the store.</param>
/// <param name="StoreId">The id of the store.</param>
/// <param name="ClusterId">The random identity of the cluster.</param>
/// <param name="HasJoined">True if the store is part of a cluster.</param>
/// <param name="NodeId">The node that the store belongs to; null if it has not joined.</param>
/// <param name="Members">The nodes that count for the store, its own included.</param>
/// <param name="Keyspaces">The keyspaces.</param>
/// <param name="LastStamps">The stamp of the last known transaction of each node.</param>
sealed record StoreSummary(
    uint Format, string StoreId, string ClusterId, bool HasJoined, int? NodeId, IReadOnlyList<int> Members, IReadOnlyList<KeyspaceSummary> Keyspaces,
    IReadOnlyList<LastStamp> LastStamps);
