using Datacake.Administration;
using Datacake.EventualConsistency;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Datacake.Hosting;

/// <summary>
/// The health check of a node. It is unhealthy while the node cannot write: the node has not started, its store has not joined its cluster
/// or is no longer part of it, or its storage refuses commits. It is degraded while something is missing: the given level cannot be
/// satisfied; members are down, refused or without a session; the store is catching up; clocks or replicas differ; or the certificate
/// expires soon.
/// </summary>
sealed class DatacakeHealthCheck(DatacakeHostedService hosted, Consistency level) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(Check());

    HealthCheckResult Check()
    {
        if (hosted.Started is not { } node || node.FindExtension<ReplicatedStore>() is not { } store)
            return HealthCheckResult.Unhealthy("The node has not started.");
        var states = store.MemberStates;
        var data = new Dictionary<string, object>
        {
            ["node"] = (int)node.Id,
            ["stores"] = node.OpenStores.Count,
            ["up"] = node.Members.Count(member => member.IsUp),
            ["down"] = states.Count(member => member.State == MemberConnection.Down),
            ["inSession"] = states.Count(member => member.State is MemberConnection.InSession or MemberConnection.CatchingUp),
            ["retiringNeedsOperatorKey"] = node.OperatorKeys.Count > 0,
            ["refused"] = states.Count(member => member.State == MemberConnection.Refused),
        };
        var all = NodeFindings.Of(node, level);
        // A planned stop is no trouble of those that remain. If they cannot satisfy the level any more, that is a finding of its own.
        Finding[] findings = [.. all.Where(static finding => finding.Code != NodeFindings.LeftCode)];
        if (findings.Length == 0)
        {
            return HealthCheckResult.Healthy(
                all.Count == 0 ? $"Node {node.Id} is in session with all other members." : string.Join(" ", all.Select(static finding => finding.Problem)), data);
        }
        string problems = string.Join(" ", findings.Select(static finding => $"{finding.Problem} {finding.Remedy}"));
        return findings[0].Severity == FindingSeverity.Error ? HealthCheckResult.Unhealthy(problems, data: data) : HealthCheckResult.Degraded(problems, data: data);
    }
}
