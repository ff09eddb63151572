using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Datacake.Administration;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Rpc;
using Datacake.Sqlite;
using Datacake.Storage;
using Datacake.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Datacake.Hosting.Tests;

/// <summary>Health checks that report missing members even though gossip sees all members up.</summary>
public sealed class HealthTests : IAsyncLifetime
{
    readonly List<IHost> _hosts = [];

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts)
        {
            await host.StopAsync(CancellationToken.None);
            host.Dispose();
        }
    }

    [Fact]
    public async Task Node_whose_sessions_are_refused_is_degraded_to_the_others_and_unhealthy_to_itself()
    {
        var first = await StartAsync(1);
        var second = await StartAsync(2, AddressOf(first));
        await WaitForAsync(first, HealthStatus.Healthy);
        await WaitForAsync(second, HealthStatus.Healthy, "in session with all other members");
        await (await StoreOfAsync(first)).RetireAsync(2, Canceled);
        await WaitForAsync(first, HealthStatus.Degraded, "No session with node 2 at", "which is refused", "retired");
        await WaitForAsync(second, HealthStatus.Unhealthy, "Node 2 accepts no writes", "retired", "Move its files away");
    }

    [Fact]
    public async Task Differing_wall_clocks_are_reported_before_and_after_they_end_the_session()
    {
        var time = new ShiftedTime();
        var first = await StartAsync(1);
        var second = await StartAsync(2, AddressOf(first), time);
        await WaitForAsync(first, HealthStatus.Healthy);
        await WaitForAsync(second, HealthStatus.Healthy);
        time.Offset = TimeSpan.FromMinutes(1);
        await WaitForAsync(first, HealthStatus.Degraded, "The wall clock of node 2 differs from that of node 1 by");
        await (await StoreOfAsync(first)).Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.All, Canceled);

        time.Offset = TimeSpan.FromHours(2);
        await WaitForAsync(first, HealthStatus.Degraded, "Quorum requires 2 of 2 members", "which is refused", "correct the wrong clock");
        await WaitForAsync(second, HealthStatus.Degraded, "Quorum requires 2 of 2 members", "which is refused", "correct the wrong clock");
        time.Offset = TimeSpan.Zero;
        await WaitForAsync(first, HealthStatus.Healthy);
        await WaitForAsync(second, HealthStatus.Healthy);
    }

    [Fact]
    public async Task Member_that_waits_to_join_is_missing_to_the_others_and_unhealthy_to_itself()
    {
        var first = await StartAsync(1);
        var second = await StartAsync(2, AddressOf(first));
        var third = await StartAsync(3, AddressOf(first));
        foreach (var host in _hosts)
            await WaitForAsync(host, HealthStatus.Healthy);
        await NodeOf(second).StopAbruptlyAsync();
        await NodeOf(third).StopAbruptlyAsync();
        await WaitForAsync(first, HealthStatus.Degraded, "Down: node 2 at", "Down: node 3 at");

        // With an empty disk, the node has to ask all members before it joins, and node 2 is away.
        third = await StartAsync(3, AddressOf(first));
        await WaitForAsync(first, HealthStatus.Degraded, "Node 3 has not joined yet.", "Down: node 2 at", "Quorum requires");
        await WaitForAsync(third, HealthStatus.Unhealthy, "The store of node 3 has not joined its cluster yet");
    }

    [Fact]
    public async Task Member_that_has_stopped_as_planned_degrades_no_other_while_they_satisfy_the_level()
    {
        var first = await StartAsync(1);
        var second = await StartAsync(2, AddressOf(first));
        var third = await StartAsync(3, AddressOf(first));
        foreach (var host in _hosts)
            await WaitForAsync(host, HealthStatus.Healthy);

        await third.StopAsync(Canceled);
        await WaitForAsync(first, HealthStatus.Healthy, "Stopped: node 3 at");

        await second.StopAsync(Canceled);
        await WaitForAsync(first, HealthStatus.Degraded, "Quorum requires 2 of 3 members");
    }

    [Fact]
    public async Task Node_is_degraded_14_days_before_the_issuer_of_its_certificate_expires()
    {
        var now = DateTimeOffset.UtcNow;
        using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var issuerRequest = new CertificateRequest("CN=Issuer", issuerKey, HashAlgorithmName.SHA256);
        issuerRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var issuer = issuerRequest.Create(
            new X500DistinguishedName("CN=Root"), X509SignatureGenerator.CreateForECDsa(issuerKey), now.AddYears(-1), now.AddDays(20), [1]);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issued = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256).Create(
            issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey), now.AddDays(-1), now.AddYears(1), [2]);
        using var certificate = issued.CopyWithPrivateKey(key);
        var time = new ShiftedTime();
        var host = await StartAsync(1, time: time, tls: new RpcTls { Certificate = certificate, Intermediates = [issuer] });
        await WaitForAsync(host, HealthStatus.Healthy);
        time.Offset = TimeSpan.FromDays(7);
        await WaitForAsync(host, HealthStatus.Degraded, "The certificate CN=Issuer, an issuer of CN=node, expires at");
    }

    [Fact]
    public async Task Node_whose_backups_fail_is_degraded()
    {
        string folder = Directory.CreateTempSubdirectory("datacake-health-").FullName;
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseSqlite(Path.Combine(folder, "cakes.db")).WithBackups(backups =>
        {
            backups.Folder = Path.Combine(folder, "missing");
            backups.Interval = TimeSpan.FromHours(1);
        }));
        builder.Services.AddHealthChecks().AddDatacake();
        using (var host = builder.Build())
        {
            await host.StartAsync(Canceled);
            await WaitForAsync(host, HealthStatus.Degraded, "The backups of node 1 to", "have failed since", "Create it, or mount its volume.");
            await host.StopAsync(Canceled);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Findings_of_named_stores_name_the_stores_and_are_told_once()
    {
        var first = await StartAsync(1);
        var second = await StartAsync(2, AddressOf(first));
        foreach (var host in _hosts)
        {
            foreach (string name in new[] { "a", "b", "c", "d" })
                await NodeOf(host).OpenStoreAsync(name, static store => store.UseMemory(), Canceled);
        }
        await WaitForAsync(first, HealthStatus.Healthy);
        foreach (var store in NodeOf(first).OpenStores)
            await store.WaitForMembersAsync(2, Eventually.Deadline, Canceled);

        await NodeOf(second).CloseStoreAsync("b", cancellationToken: Canceled);
        await WaitForAsync(first, HealthStatus.Degraded, "Store 'b': No session with node 2: according to gossip, it does not hold the store 'b' at present.");
        Assert.Single(NodeFindings.Of(NodeOf(first)), static finding => finding.Code == "member-unseen");

        await NodeOf(second).StopAbruptlyAsync();
        await WaitForAsync(first, HealthStatus.Degraded, "Own store and stores 'a', 'c', 'd': Down: node 2 at");
    }

    async Task<IHost> StartAsync(int nodeId, string? seed = null, ShiftedTime? time = null, RpcTls? tls = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddDatacake(options =>
        {
            options.WithNodeId(nodeId).ListenOn("127.0.0.1:0").WithSeeds(seed is null ? [] : [seed]).WithGossip(gossip => gossip.UseLocal())
                .WithTimeProvider(time ?? new ShiftedTime()).WithStore(store => store.ReportInterval = TimeSpan.FromMilliseconds(100)).UseMemory();
            if (tls is not null)
                options.WithTls(tls);
        });
        builder.Services.AddHealthChecks().AddDatacake();
        var host = builder.Build();
        _hosts.Add(host);
        await host.StartAsync(Canceled);
        await StoreOfAsync(host);
        return host;
    }

    static DatacakeNode NodeOf(IHost host) => host.Services.GetRequiredService<DatacakeNode>();

    static string AddressOf(IHost host) => NodeOf(host).Address;

    static async Task<ReplicatedStore> StoreOfAsync(IHost host) => await NodeOf(host).OpenStoreAsync(Canceled);

    static async Task WaitForAsync(IHost host, HealthStatus status, params string[] texts)
    {
        var health = host.Services.GetRequiredService<HealthCheckService>();
        await Eventually.WaitUntilAsync(
            async () =>
            {
                var report = await health.CheckHealthAsync(Canceled);
                string shown = report.Entries["datacake"].Description ?? "";
                return report.Status == status && texts.All(text => shown.Contains(text, StringComparison.Ordinal));
            },
            $"node {NodeOf(host).Id} is {status} with '{string.Join("' and '", texts)}'");
    }
}
