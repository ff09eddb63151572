using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Datacake.Administration;
using Datacake.Rpc;
using Datacake.Tool.Connections;

namespace Datacake.Tool.Diagnosis;

/// <summary>Checks everything between this machine and a node that can be wrong, each with the remedy. A check that others depend on ends the list if it fails.</summary>
sealed class Doctor(NodeConnection node)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), MaxClockOffset = TimeSpan.FromSeconds(10), MinCertificateLifetime = TimeSpan.FromDays(14);

    public async IAsyncEnumerable<Check> CheckAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var name = await CheckNameAsync(node.Address, "name", cancellationToken).ConfigureAwait(false);
        yield return name;
        if (!name.IsGood)
            yield break;
        var port = await CheckPortAsync(node.Address, "port", cancellationToken).ConfigureAwait(false);
        yield return port;
        if (!port.IsGood)
            yield break;
        var before = DateTimeOffset.UtcNow;
        var (status, connection) = await CheckConnectionAsync(cancellationToken).ConfigureAwait(false);
        yield return connection;
        if (status is null)
            yield break;
        yield return CheckClock(status, before, DateTimeOffset.UtcNow);
        yield return status.AcceptsCommands
            ? new Check("operator", true, "The node accepts commands of operators.")
            : new Check("operator", false, "The node has no operator secret and refuses all commands.", "Set AdministrationOptions.OperatorSecret on the node, if operators are to change something.");
        if (status.CertificateExpiresAt is { } end)
        {
            yield return end - DateTimeOffset.UtcNow > MinCertificateLifetime
                ? new Check("certificate", true, string.Create(CultureInfo.InvariantCulture, $"The certificate of the node expires at {end:u}."))
                : new Check("certificate", false, string.Create(CultureInfo.InvariantCulture, $"The certificate of the node expires at {end:u}."), "Renew it. Files are read again by themselves.");
        }
        foreach (string seed in (status.Seeds ?? []).Where(seed => seed != node.Address))
        {
            var resolved = await CheckNameAsync(seed, "seed", cancellationToken).ConfigureAwait(false);
            yield return resolved.IsGood ? await CheckPortAsync(seed, "seed", cancellationToken).ConfigureAwait(false) : resolved;
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
            return new Check(check, false, $"The name {host} has no address: {e.Message}", "Correct the name, or add it to the DNS.");
        }
    }

    static async Task<Check> CheckPortAsync(string address, string check, CancellationToken cancellationToken)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(HostOf(address), int.Parse(address[(address.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture), cancellationToken).AsTask()
                .WaitAsync(Patience, cancellationToken).ConfigureAwait(false);
            return new Check(check, true, $"{address} can be reached from this machine.");
        }
        catch (Exception e) when (e is SocketException or TimeoutException)
        {
            return new Check(check, false, $"{address} cannot be reached from this machine: {e.Message}", "Start the node, check its port, and open the port in the firewalls between both machines.");
        }
    }

    async Task<(NodeStatus? Status, Check Check)> CheckConnectionAsync(CancellationToken cancellationToken)
    {
        try
        {
            var status = await node.Client.GetStatusAsync(cancellationToken).ConfigureAwait(false);
            return (status, new Check("connection", true, $"Node {status.NodeId} accepts the cluster secret and the certificates."));
        }
        catch (AdministrationException e)
        {
            bool isRefused = e.InnerException is RpcException { Status: RpcStatus.Unauthenticated };
            return (null, new Check("connection", false, e.Message, isRefused
                ? "Pass the secret and the certificates of the cluster: --secret-file, --tls, --certificate, --certificate-key and --trusted-issuers."
                : "Look into the log of the node."));
        }
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
