using Datacake.Administration;

namespace Datacake.Dashboard.Cluster;

/// <summary>The state of the cluster as one member reports it.</summary>
/// <param name="NodeId">The node id of the member.</param>
/// <param name="Status">The state; null if the member did not answer.</param>
/// <param name="Problem">The reason why there is no state; null if there is one.</param>
sealed record MemberReport(int NodeId, NodeStatus? Status, string? Problem);
