using System.Globalization;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Datacake.Aspire.Hosting;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using OpenTelemetry.Metrics;

namespace Datacake.Aspire.Tests;

/// <summary>The environment that the app host gives its resources. The processes are hosts in this one that have no other settings.</summary>
public sealed class AppHostTests : IDisposable
{
    readonly ReservedAddresses _addresses = new();
    readonly IDistributedApplicationBuilder _app = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { DisableDashboard = true });

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public void Dispose() => _addresses.Dispose();

    [Fact]
    public async Task Resources_of_a_cluster_are_nodes_that_share_data_health_and_telemetry()
    {
        var cluster = _app.AddDatacakeCluster("cake");
        List<IResourceBuilder<ExecutableResource>> resources = [.. Enumerable.Range(1, 3).Select(id => Add(cluster, id))];
        var metrics = new List<Metric>();
        var hosts = new List<IHost>();
        try
        {
            foreach (var resource in resources)
                hosts.Add(await StartAsync(await EnvironmentOfAsync(resource), hosts.Count == 0 ? metrics : []));
            await Eventually.WaitUntilAsync(
                async () =>
                {
                    foreach (var host in hosts)
                    {
                        if ((await host.Services.GetRequiredService<DatacakeNode>().OpenStoreAsync(Canceled)).Members.Count(static member => member.IsUp) < 3)
                            return false;
                    }
                    return true;
                },
                "the nodes are connected");

            await using (var db = Context(hosts[0]))
            {
                db.Cakes.Add(new Cake { Id = 1, Name = "Battenberg" });
                await db.SaveChangesAsync(Consistency.All, Canceled);
            }
            await using (var db = Context(hosts[2]))
                Assert.Equal("Battenberg", (await db.Cakes.FindAsync([1], Canceled))!.Name);
            await Eventually.WaitUntilAsync(
                async () => (await hosts[1].Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Canceled)).Status == HealthStatus.Healthy, "the node is healthy");
            hosts[0].Services.GetRequiredService<MeterProvider>().ForceFlush();
            Assert.Contains(metrics, static metric => metric.MeterName == "Datacake.Data");
            Assert.Contains(metrics, static metric => metric.MeterName == "Datacake.EventualConsistency");
        }
        finally
        {
            foreach (var host in hosts)
            {
                await host.StopAsync(Canceled);
                host.Dispose();
            }
        }
    }

    [Fact]
    public async Task Secrets_are_generated_once_for_all_nodes_and_the_operator_has_another()
    {
        var cluster = _app.AddDatacakeCluster("cake");
        var environments = new[] { await EnvironmentOfAsync(Add(cluster, 1)), await EnvironmentOfAsync(Add(cluster, 2)) };

        string secret = Assert.Single(environments.Select(static environment => environment["Datacake__ClusterSecret"]).Distinct());
        Assert.Equal(secret, await cluster.Resource.ClusterSecret.GetValueAsync(Canceled));
        Assert.True(secret.Length >= 32);
        Assert.NotEqual(secret, environments[0]["Datacake__Administration__OperatorSecret"]);
        Assert.True(cluster.Resource.ClusterSecret.Secret);
    }

    [Fact]
    public async Task Published_containers_listen_everywhere_and_advertise_their_names()
    {
        var app = DistributedApplication.CreateBuilder(new DistributedApplicationOptions { DisableDashboard = true, Args = ["--publisher", "manifest"] });
        var cluster = app.AddDatacakeCluster("cake", app.AddParameter("given", "a secret that was given", secret: true));
        var shops = Enumerable.Range(1, 2).Select(id => app.AddContainer($"shop-{id}", "shop").WithDatacakeNode(cluster, id, section: "Shop:Node")).ToList();

        var environment = await EnvironmentOfAsync(shops[1], DistributedApplicationOperation.Publish);

        Assert.Equal("0.0.0.0:7002", environment["Shop__Node__ListenOn"]);
        Assert.Equal("{shop-2.bindings.datacake.host}:{shop-2.bindings.datacake.port}", environment["Shop__Node__AdvertiseAs"]);
        Assert.Equal("{shop-1.bindings.datacake.host}:{shop-1.bindings.datacake.port}", environment["Shop__Node__Seeds__0"]);
        Assert.Equal("{given.value}", environment["Shop__Node__ClusterSecret"]);
        Assert.Equal("2", environment["Shop__Node__Store__ExpectedNodes"]);
    }

    [Fact]
    public void Second_resource_with_the_id_of_a_node_is_refused()
    {
        var cluster = _app.AddDatacakeCluster("cake");
        Add(cluster, 7);

        var error = Assert.Throws<ArgumentException>(() => _app.AddExecutable("other", "shop", ".").WithDatacakeNode(cluster, 7));

        Assert.Contains("Node 7 of the cluster 'cake' is the resource 'shop-7' already.", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => _app.AddExecutable("zero", "shop", ".").WithDatacakeNode(cluster, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => _app.AddExecutable("high", "shop", ".").WithDatacakeNode(cluster, 1, port: 70_000));
    }

    [Fact]
    public void Application_without_settings_of_a_node_is_told_where_they_come_from()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Host.CreateApplicationBuilder().AddDatacakeNode(static options => options.UseMemory()));

        Assert.Contains("WithDatacakeNode", error.Message, StringComparison.Ordinal);
    }

    IResourceBuilder<ExecutableResource> Add(IResourceBuilder<DatacakeClusterResource> cluster, int id)
    {
        int port = int.Parse(_addresses.Next().Split(':')[1], CultureInfo.InvariantCulture);
        var resource = _app.AddExecutable($"shop-{id}", "shop", ".").WithDatacakeNode(cluster, id, port);
        // The orchestrator of Aspire does this when it starts the process.
        return resource.WithEndpoint(DatacakeClusterBuilderExtensions.EndpointName, endpoint => endpoint.AllocatedEndpoint = new AllocatedEndpoint(endpoint, "localhost", port));
    }

    static async Task<Dictionary<string, string>> EnvironmentOfAsync<T>(IResourceBuilder<T> resource, DistributedApplicationOperation operation = DistributedApplicationOperation.Run)
        where T : IResource
    {
        var configuration = await ExecutionConfigurationBuilder.Create(resource.Resource).WithEnvironmentVariablesConfig()
            .BuildAsync(new DistributedApplicationExecutionContext(operation), NullLogger.Instance, Canceled);
        return configuration.EnvironmentVariables.ToDictionary();
    }

    static async Task<IHost> StartAsync(Dictionary<string, string> environment, List<Metric> metrics)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(environment.Select(static variable => KeyValuePair.Create(variable.Key.Replace("__", ":", StringComparison.Ordinal), (string?)variable.Value)));
        builder.AddDatacakeNode(static options => options.WithGossip(static gossip => gossip.UseLocal()).UseMemory());
        builder.Services.AddDatacakeContext<CakeContext>();
        builder.Services.AddOpenTelemetry().WithMetrics(provider => provider.AddInMemoryExporter(metrics));
        var host = builder.Build();
        await host.StartAsync(Canceled);
        return host;
    }

    static CakeContext Context(IHost host) => host.Services.GetRequiredService<IDatacakeContextFactory<CakeContext>>().CreateContext();
}
