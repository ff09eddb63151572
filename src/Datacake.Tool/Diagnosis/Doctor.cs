using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Datacake.Administration;
using Datacake.Rpc;
using Datacake.Tool.Connections;
using Datacake.Tool.Terminal;

namespace Datacake.Tool.Diagnosis;

/// <summary>Checks everything between this machine and a node that can be wrong, each with the remedy. A check that others depend on ends the list if it fails.</summary>
/// <param name="address">The address of the node.</param>
/// <param name="access">The secrets and certificates, with which the seeds of the node are tried, too.</param>
sealed class Doctor(string address, NodeAccess access)
{
    /// <summary>The free space below which it is a problem, however small the store is.</summary>
    const long MinFreeBytes = 200_000_000;

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), MaxClockOffset = TimeSpan.FromSeconds(10), MinCertificateLifetime = TimeSpan.FromDays(14);

    /// <summary>Gets the exit code, which is final when all checks are done.</summary>
    public ExitCode ExitCode { get; private set; } = ExitCode.CannotConnect;

    public async IAsyncEnumerable<Check> CheckAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var name = await CheckNameAsync(address, "name", cancellationToken).ConfigureAwait(false);
        yield return name;
        if (!name.IsGood)
            yield break;
        var transport = new ObservedTransport();
        var node = access.Open(address, transport);
        await using var disposal = node.ConfigureAwait(false);
        var before = DateTimeOffset.UtcNow;
        var (status, failure) = await GetStatusAsync(node, cancellationToken).ConfigureAwait(false);
        var after = DateTimeOffset.UtcNow;
        yield return CheckPort(address, "port", transport, failure);
        if (!transport.HasConnected)
            yield break;
        yield return status is null
            ? new Check("connection", false, failure!.Message, RemedyOf(failure))
            : new Check("connection", true, $"Node {status.NodeId} accepts the cluster secret and the certificates.");
        if (status is null)
        {
            if (StatusOf(failure!) is RpcStatus.Unauthenticated)
                ExitCode = ExitCode.Refused;
            yield break;
        }
        ExitCode = ExitCode.Good;
        await foreach (var check in CheckConnectedAsync(node, status, before, after, cancellationToken).ConfigureAwait(false))
        {
            if (!check.IsGood && ExitCode == ExitCode.Good)
                ExitCode = ExitCode.Findings;
            yield return check;
        }
    }

    /// <summary>Checks what a node that can be reached, and accepts the secret, says of itself.</summary>
    async IAsyncEnumerable<Check> CheckConnectedAsync(
        NodeConnection node, NodeStatus status, DateTimeOffset before, DateTimeOffset after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return CheckClock(status, before, after);
        yield return await CheckOperatorAsync(node, status, cancellationToken).ConfigureAwait(false);
        if (CheckDisk(status) is { } disk)
            yield return disk;
        if (status.CertificateExpiresAt is { } end)
        {
            yield return end - DateTimeOffset.UtcNow > MinCertificateLifetime
                ? new Check("certificate", true, string.Create(CultureInfo.InvariantCulture, $"The certificate of the node expires at {end:u}."))
                : new Check("certificate", false, string.Create(CultureInfo.InvariantCulture, $"The certificate of the node expires at {end:u}."), "Renew it. Files are read again by themselves.");
        }
        foreach (string seed in (status.Seeds ?? []).Where(seed => seed != address))
        {
            yield return status.Members.FirstOrDefault(member => member.Address == seed && member.Connection == "Retired") is { } retired
                ? new Check("seed", true, $"{seed} is the address of node {retired.NodeId}, which was retired. Remove it from the seeds when you next restart the node.")
                : await CheckSeedAsync(seed, status.ClusterId, cancellationToken).ConfigureAwait(false);
        }
        foreach (var finding in status.Findings)
            yield return new Check(finding.Code, finding.Severity == FindingSeverity.Information, finding.Problem, finding.Remedy);
        if (status.Findings.Count == 0)
            yield return new Check("findings", true, "The node has no findings.");
    }

    static async Task<Check> CheckNameAsync(string address, string check, CancellationToken cancellationToken)
    {
        string host = HostOf(address);
        if (IPAddress.TryParse(host, out _))
            return new Check(check, true, $"{host} is an IP address.");
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(host, cancellationToken).WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
            return new Check(check, true, $"{host} is {string.Join<IPAddress>(", ", addresses)}.");
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            return new Check(check, false, $"The name {host} has no address: {e.Message.TrimEnd('.')}.", "Correct the name, or add it to the DNS.");
        }
    }

    static Check CheckPort(string address, string check, ObservedTransport transport, AdministrationException? failure) => transport.HasConnected
        ? new Check(check, true, $"{address} can be reached from this machine.")
        : new Check(
            check, false, failure?.Message ?? $"{address} cannot be reached from this machine.",
            "Start the node, check its port, and open the port in the firewalls between both machines.");

    static async Task<(NodeStatus? Status, AdministrationException? Failure)> GetStatusAsync(NodeConnection node, CancellationToken cancellationToken)
    {
        try
        {
            return (await node.Client.GetStatusAsync(cancellationToken).ConfigureAwait(false), null);
        }
        catch (AdministrationException e)
        {
            return (null, e);
        }
    }

    static RpcStatus? StatusOf(AdministrationException failure) => (failure.InnerException as RpcException)?.Status;

    static string RemedyOf(AdministrationException failure) => StatusOf(failure) switch
    {
        RpcStatus.Unauthenticated => "Pass the secret and the certificates of the cluster: --secret-file, --tls, --certificate, --certificate-key and --trusted-issuers.",
        RpcStatus.UnknownService => "The log of the node says whether it is still starting.",
        _ => "Look into the log of the node.",
    };

    async Task<Check> CheckSeedAsync(string seed, string clusterId, CancellationToken cancellationToken)
    {
        var name = await CheckNameAsync(seed, "seed", cancellationToken).ConfigureAwait(false);
        if (!name.IsGood)
            return name;
        var transport = new ObservedTransport();
        var node = access.Open(seed, transport);
        await using var disposal = node.ConfigureAwait(false);
        var (status, failure) = await GetStatusAsync(node, cancellationToken).ConfigureAwait(false);
        if (!transport.HasConnected)
        {
            return CheckPort(seed, "seed", transport, failure) with
            {
                Remedy = "Start the node, check its port, and open the port in the firewalls between both machines. If the node was removed for good, remove its address from the seeds.",
            };
        }
        if (failure is not null && StatusOf(failure) is RpcStatus.UnknownService)
            return new Check("seed", true, $"{seed} accepts the cluster secret and the certificates. Its administration is not open, so that nothing else is known of it.");
        if (failure is not null)
        {
            return new Check(
                "seed", false, $"{seed} can be reached, but refuses what the node at {address} accepts: {failure.Message}",
                "Give all nodes the same cluster secret (ClusterSecretFile in the configuration), and certificates of issuers that all of them trust.");
        }
        return status!.ClusterId == clusterId
            ? new Check("seed", true, $"{seed} is node {status.NodeId}, and accepts the cluster secret and the certificates.")
            : new Check("seed", false, $"{seed} is node {status.NodeId} of another cluster, '{status.ClusterId}'.", "Correct the seeds, or the ClusterId of one of them.");
    }

    async Task<Check> CheckOperatorAsync(NodeConnection node, NodeStatus status, CancellationToken cancellationToken)
    {
        if (!status.AcceptsCommands)
        {
            return new Check("operator", false, $"Node {status.NodeId} has no operator secret, and refuses all commands.",
                "If operators are to change something, set Administration:OperatorSecretFile in its configuration, and restart it.");
        }
        if (access.OperatorSecret is null)
            return new Check("operator", true, $"Node {status.NodeId} has an operator secret. None was passed, so it was not tried: --operator-secret-file.");
        try
        {
            await node.Client.CheckOperatorAsync(cancellationToken).ConfigureAwait(false);
            return new Check("operator", true, $"Node {status.NodeId} accepts the operator secret.");
        }
        catch (AdministrationException e) when (StatusOf(e) is RpcStatus.UnknownMessage)
        {
            return new Check("operator", true, $"Node {status.NodeId} has an operator secret. Its version is too old to try one without a command.");
        }
        catch (AdministrationException e)
        {
            if (StatusOf(e) is RpcStatus.Unauthenticated)
                ExitCode = ExitCode.Refused;
            return new Check("operator", false, e.Message, "If the secret was changed, all nodes need the new one, and a restart.");
        }
    }

    static Check? CheckDisk(NodeStatus status)
    {
        if (status is not { FreeBytes: { } free, StorageBytes: { } size })
            return null;
        string result = $"The volume of the store has {Output.Format(free)} bytes free, and the store has {Output.Format(size)}.";
        return free >= Math.Max(MinFreeBytes, size)
            ? new Check("disk", true, result)
            : new Check("disk", false, result, "Make room, or enlarge the disk: compaction needs room for a second copy, and a full disk stops all writes of the node.");
    }

    static Check CheckClock(NodeStatus status, DateTimeOffset before, DateTimeOffset after)
    {
        var offset = status.Time - (before + ((after - before) / 2));
        string result = string.Create(CultureInfo.InvariantCulture, $"The wall clock of the node differs from that of this machine by {offset.TotalSeconds:0.0} s.");
        return offset.Duration() <= MaxClockOffset
            ? new Check("clock", true, result)
            : new Check("clock", false, result, "Synchronize the clocks of both machines (NTP).");
    }

    static string HostOf(string address) => address[..address.LastIndexOf(':')].Trim('[', ']');
}
