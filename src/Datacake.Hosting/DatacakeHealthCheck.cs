using Datacake.EventualConsistency;
using Datacake.Node;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Datacake.Hosting;

/// <summary>
/// Unhealthy while the node cannot read and write: it has not started, or its store has not joined its cluster yet. Degraded while members of the cluster
/// are down: levels that need them fail.
/// </summary>
sealed class DatacakeHealthCheck(DatacakeHostedService hosted) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(Check());

    HealthCheckResult Check()
    {
        if (hosted.Started is not { } node || node.FindExtension<ReplicatedStore>() is not { } store)
            return HealthCheckResult.Unhealthy("The node has not started.");
        var down = node.Members.Where(member => member.State == MemberState.Down).ToList();
        var data = new Dictionary<string, object>
        {
            ["node"] = (int)node.Id,
            ["up"] = node.Members.Count(member => member.IsUp),
            ["down"] = down.Count,
        };
        if (!store.Joined.IsCompletedSuccessfully)
            return HealthCheckResult.Unhealthy($"The store of node {node.Id} has not joined its cluster yet.", data: data);
        return down.Count > 0
            ? HealthCheckResult.Degraded($"Down: {string.Join(", ", down)}.", data: data)
            : HealthCheckResult.Healthy($"Node {node.Id} is up, and so are all members that it knows.", data);
    }
}
