using Datacake.Administration;

namespace Datacake.Dashboard.Cluster;

/// <summary>The state of the cluster: as this node sees it, and as the other members report it.</summary>
/// <param name="Own">The state that this node reports.</param>
/// <param name="Reports">The reports of all members, in the order of their ids.</param>
sealed record ClusterReport(NodeStatus Own, IReadOnlyList<MemberReport> Reports);
