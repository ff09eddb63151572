using System.Globalization;
using Datacake.EventualConsistency;
using Datacake.Node;
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
    /// <summary>The difference between two wall clocks from which the check is degraded.</summary>
    static readonly TimeSpan MinReportedClockOffset = TimeSpan.FromSeconds(10);

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(Check());

    HealthCheckResult Check()
    {
        if (hosted.Started is not { } node || node.FindExtension<ReplicatedStore>() is not { } store)
            return HealthCheckResult.Unhealthy("The node has not started.");
        var states = store.MemberStates;
        var data = new Dictionary<string, object>
        {
            ["node"] = (int)node.Id,
            ["up"] = node.Members.Count(member => member.IsUp),
            ["down"] = states.Count(member => member.State == MemberConnection.Down),
            ["inSession"] = states.Count(member => member.State is MemberConnection.InSession or MemberConnection.CatchingUp),
            ["retiringNeedsOperatorKey"] = node.OperatorKeys.Count > 0,
            ["refused"] = states.Count(member => member.State == MemberConnection.Refused),
        };
        if (UnhealthyReason(node, store, states) is { } unhealthy)
            return HealthCheckResult.Unhealthy(unhealthy, data: data);
        string[] missing = [.. DegradedReasons(node, store, states)];
        return missing.Length > 0
            ? HealthCheckResult.Degraded(string.Join(" ", missing), data: data)
            : HealthCheckResult.Healthy($"Node {node.Id} is in session with all other members.", data);
    }

    static string? UnhealthyReason(DatacakeNode node, ReplicatedStore store, IReadOnlyList<StoreMemberState> states)
    {
        if (store.Exclusion is { } exclusion)
            return $"Node {node.Id} accepts no writes, because its store is no longer part of the cluster: {exclusion}.";
        if (store.StorageFailure is { } failure)
            return $"The storage of node {node.Id} refuses the writes of the store: {failure.Message}";
        if (store.Joined.IsCompletedSuccessfully)
            return null;
        var join = store.JoinStatus;
        string reasons = string.Join(" ", states.Where(member => member.State == MemberConnection.Refused).Select(Describe));
        return string.Create(CultureInfo.InvariantCulture,
            $"The store of node {node.Id} has not joined its cluster yet; it has received {join.Documents} of about {join.EstimatedDocuments} documents. {reasons}").TrimEnd();
    }

    IEnumerable<string> DegradedReasons(DatacakeNode node, ReplicatedStore store, IReadOnlyList<StoreMemberState> states)
    {
        var requirement = store.RequirementOf(level);
        if (!requirement.IsReachable)
            yield return $"{requirement}, and the members that are up cannot satisfy that.";
        foreach (var member in states)
        {
            if (member.State is MemberConnection.Down or MemberConnection.Refused or MemberConnection.NoSession or MemberConnection.CatchingUp
                || (member.State == MemberConnection.Unseen && member.HasJoined))
                yield return Describe(member);
            else if (!member.HasJoined && member.State == MemberConnection.InSession)
                yield return $"Node {member.NodeId} has not joined yet.";
        }
        foreach (var (peer, offset) in node.ClockOffsets.Where(clock => clock.Value.Duration() > MinReportedClockOffset))
            yield return string.Create(CultureInfo.InvariantCulture, $"The wall clock of node {peer} differs from that of node {node.Id} by {offset.TotalSeconds:0} s.");
        if (store.DifferingMembers is { Count: > 0 } differing)
            yield return $"Nodes {string.Join(", ", differing)} know the same transactions as node {node.Id} but show something else.";
        if (store.DamagedRecords is > 0 and var damaged)
            yield return $"{damaged} stored records of node {node.Id} are damaged and not repaired yet.";
        if (store.HeldRemoval is { } held)
            yield return $"A reconcile of node {node.Id} with node {held.NodeId} would remove {held.Documents} documents and is held back until it is allowed.";
        if (node.CertificateStatus is { } certificate && certificate.RenewBy <= node.TimeProvider.GetUtcNow())
        {
            string name = certificate.FirstToExpire == certificate.Subject ? certificate.Subject : $"{certificate.FirstToExpire}, an issuer of {certificate.Subject},";
            yield return string.Create(CultureInfo.InvariantCulture, $"The certificate {name} expires at {certificate.ExpiresAt:u}. Renew it.");
        }
    }

    static string Describe(StoreMemberState member)
    {
        string name = member.Address.Length > 0 ? $"node {member.NodeId} at {member.Address}" : $"node {member.NodeId}";
        return member.State switch
        {
            MemberConnection.Down => $"Down: {name}.",
            MemberConnection.Refused => $"No session with {name}, which is refused: {member.Reason}.",
            MemberConnection.CatchingUp => string.Create(CultureInfo.InvariantCulture, $"Catching up with {name}, behind by {member.Behind?.TotalSeconds ?? 0:0} s."),
            _ => $"No session with {name}: {member.Reason}.",
        };
    }
}
