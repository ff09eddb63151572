using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;
using Datacake.Tests;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Datacake.Hosting.Tests;

public sealed class Visit
{
    public string Id { get; set; } = "";

    [Counter]
    public long Count { get; set; }

    [Index]
    public string Notes { get; set; } = "";
}

public sealed partial class VisitContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Visit> Visits { get; }
}

/// <summary>A context with another dependency besides the node.</summary>
public sealed partial class SignedContext(DatacakeNode node, string user) : DatacakeContext(node)
{
    public string User => user;

    public partial Keyspace<Visit> Visits { get; }
}

public sealed partial class DiaryContext(DatacakeNode node, string store) : DatacakeContext(node, store)
{
    public partial Keyspace<Visit> Visits { get; }
}

public sealed partial class TenantContext(DatacakeNode node, string store) : DatacakeContext(node, store)
{
    public partial Keyspace<Visit> Visits { get; }
}

public sealed class HostingTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Node_starts_with_the_host_and_every_scope_has_its_own_context()
    {
        using var host = Build();
        await host.StartAsync(Canceled);
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var db = scope.ServiceProvider.GetRequiredService<VisitContext>();
            db.Visits.Add(new Visit { Id = "home", Count = 3 });
            await db.SaveChangesAsync(Canceled);
        }
        await using (var scope = host.Services.CreateAsyncScope())
        {
            var home = await scope.ServiceProvider.GetRequiredService<VisitContext>().Visits.FindAsync(["home"], Canceled);
            Assert.Equal(3, home?.Count);
        }
        var node = host.Services.GetRequiredService<DatacakeNode>();
        await host.StopAsync(Canceled);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => node.WaitForNodesAsync(2, TimeSpan.FromSeconds(10), Canceled));
    }

    [Fact]
    public async Task Indexes_of_registered_contexts_are_declared_when_the_host_starts()
    {
        using var host = Build();
        await host.StartAsync(Canceled);
        var store = await host.Services.GetRequiredService<DatacakeNode>().OpenStoreAsync(Canceled);
        Assert.True(Assert.Single(store.ListIndexes("Visits")).IsBuilt);
        await host.StopAsync(Canceled);
    }

    [Fact]
    public async Task Context_or_health_check_without_a_node_fails_naming_the_missing_call()
    {
        var services = new ServiceCollection();
        services.AddDatacakeContext(node => new VisitContext(node));
        services.AddLogging().AddHealthChecks().AddDatacake();
        await using var provider = services.BuildServiceProvider();
        await using var scope = provider.CreateAsyncScope();
        var error = Assert.Throws<InvalidOperationException>(() => scope.ServiceProvider.GetRequiredService<VisitContext>());
        Assert.Contains("VisitContext needs a node, but none is registered", error.Message, StringComparison.Ordinal);
        Assert.Contains("AddDatacake(", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<InvalidOperationException>(() => provider.GetRequiredService<HealthCheckService>().CheckHealthAsync(Canceled));
        Assert.Contains("AddDatacake(", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_keeps_running_when_a_scope_that_used_it_ends()
    {
        using var host = Build();
        await host.StartAsync(Canceled);
        DatacakeNode node;
        await using (var scope = host.Services.CreateAsyncScope())
            node = scope.ServiceProvider.GetRequiredService<DatacakeNode>();
        await node.WaitForNodesAsync(1, TimeSpan.FromSeconds(10), Canceled);
        Assert.Same(node, host.Services.GetRequiredService<DatacakeNode>());
    }

    [Fact]
    public async Task Context_can_depend_on_other_services_of_its_scope()
    {
        using var host = Build(builder => builder.Services
            .AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory())
            .AddScoped(_ => "me")
            .AddDatacakeContext((services, node) => new SignedContext(node, services.GetRequiredService<string>())));
        await host.StartAsync(Canceled);
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<SignedContext>();
        Assert.Equal("me", db.User);
        Assert.Equal(0, await db.Visits.CountAsync(Canceled));
    }

    [Fact]
    public async Task Factory_creates_contexts_outside_a_scope_with_the_same_configuration()
    {
        using var host = Build(builder => builder.Services
            .AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory())
            .AddSingleton("me")
            .AddSingleton<CountingInterceptor>()
            .AddDatacakeContext(
                (services, node) => new SignedContext(node, services.GetRequiredService<string>()),
                (services, db) => db.Interceptors.Add(services.GetRequiredService<CountingInterceptor>())));
        await host.StartAsync(Canceled);
        var factory = host.Services.GetRequiredService<IDatacakeContextFactory<SignedContext>>();
        await using var scope = host.Services.CreateAsyncScope();
        await using (var db = factory.CreateContext())
        {
            Assert.NotSame(db, factory.CreateContext());
            db.Add(new Visit { Id = "a" });
            await db.SaveChangesAsync(Canceled);
        }
        var scoped = scope.ServiceProvider.GetRequiredService<SignedContext>();
        Assert.Equal(1, await scoped.Visits.CountAsync(Canceled));
        scoped.Add(new Visit { Id = "b" });
        await scoped.SaveChangesAsync(Canceled);
        Assert.Equal(2, host.Services.GetRequiredService<CountingInterceptor>().Saves);
    }

    [Fact]
    public async Task Scope_with_a_context_can_be_disposed_synchronously()
    {
        using var host = Build();
        await host.StartAsync(Canceled);
        VisitContext db;
        using (var scope = host.Services.CreateScope())
        {
            db = scope.ServiceProvider.GetRequiredService<VisitContext>();
            Assert.Equal(0, await db.Visits.CountAsync(Canceled));
        }
        await Assert.ThrowsAsync<ObjectDisposedException>(() => db.Visits.CountAsync(Canceled));
    }

    [Fact]
    public void Node_requested_before_the_host_has_started_is_refused_with_an_explanation()
    {
        using var host = Build();
        var early = Assert.Throws<InvalidOperationException>(() => host.Services.GetRequiredService<DatacakeNode>());
        Assert.Contains("starts with the host", early.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Later_configurations_replace_the_options_of_earlier_ones()
    {
        using var host = Build(builder => builder.Services
            .AddSingleton<TimeProvider>(new ShiftedTime())
            .AddDatacake(options => options.WithNodeId(1).ListenOn("10.0.0.1:7001").WithSeeds("10.0.0.1:7001", "10.0.0.2:7001").WithLabel("rack", "12")
                .WithClusterSecret("correct horse battery staple").UseStorage(() => throw new InvalidOperationException("The file was opened.")))
            .ConfigureDatacake(options => options.ListenOn("127.0.0.1:0").WithSeeds().WithLabel("rack", "13").UseMemory())
            .AddDatacake((_, options) => options.WithNodeId(3).WithTimeProvider(TimeProvider.System)));
        await host.StartAsync(Canceled);
        var node = Assert.Single(host.Services.GetServices<DatacakeNode>());
        Assert.Equal((3, 0, TimeProvider.System), (node.Id, node.Seeds.Count, node.TimeProvider));
        Assert.Equal("13", Assert.Single(node.Members).Labels["rack"]);
        Assert.IsType<MemoryStorage>(node.Storage);
        Assert.Single(host.Services.GetServices<IHostedService>(), service => service.GetType().Name == "DatacakeHostedService");
    }

    [Fact]
    public async Task Option_that_one_configuration_sets_twice_is_refused()
    {
        using var host = Build(builder => builder.Services.AddDatacake(options => options.WithNodeId(1).WithNodeId(2)));
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => host.StartAsync(Canceled));
        Assert.Contains("The node id of the node is set twice", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Context_is_created_by_its_constructor_with_the_services_that_it_needs()
    {
        using var host = Build(builder => builder.Services
            .AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").WithContexts(contexts => contexts.DefaultConsistency = Consistency.LocalQuorum).UseMemory())
            .AddScoped(_ => "me")
            .AddDatacakeContext<SignedContext>((_, db) => db.ScanWarningThreshold = 7));
        await host.StartAsync(Canceled);
        await using var scope = host.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<SignedContext>();
        Assert.Equal(("me", Consistency.LocalQuorum, 7), (db.User, db.DefaultConsistency, db.ScanWarningThreshold));
        Assert.Same(db, scope.ServiceProvider.GetRequiredService<SignedContext>());
        Assert.Equal(0, await db.Visits.CountAsync(Canceled));
    }

    [Fact]
    public async Task Start_of_the_host_waits_for_the_join_and_fails_with_the_reason()
    {
        using (var alone = Build(builder => builder.Services.AddDatacake(options => options
            .WithNodeId(1).ListenOn("127.0.0.1:0").WaitForJoin(TimeSpan.FromMinutes(1)).UseMemory())))
        {
            await alone.StartAsync(Canceled);
            var store = await alone.Services.GetRequiredService<DatacakeNode>().OpenStoreAsync(Canceled);
            Assert.True(store.JoinStatus.IsJoined);
        }
        using var host = Build(builder => builder.Services.AddDatacake(options => options
            .WithNodeId(2).ListenOn("127.0.0.1:0").WithSeeds("127.0.0.1:1").WaitForJoin(TimeSpan.FromMilliseconds(50)).UseMemory()));
        var timeout = await Assert.ThrowsAsync<TimeoutException>(() => host.StartAsync(Canceled));
        Assert.Contains("has not joined its cluster within 0.05 s", timeout.Message, StringComparison.Ordinal);
        Assert.Contains("127.0.0.1:1", timeout.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_combines_the_store_and_the_other_members()
    {
        using var host = Build(builder => builder.Services.AddDatacake(options => Configure(options.WithNodeId(1))).AddHealthChecks().AddDatacake());
        var health = host.Services.GetRequiredService<HealthCheckService>();
        Assert.Equal(HealthStatus.Unhealthy, (await health.CheckHealthAsync(Canceled)).Status);
        await host.StartAsync(Canceled);
        var node = host.Services.GetRequiredService<DatacakeNode>();
        await (await node.OpenStoreAsync(Canceled)).Joined.WaitAsync(Canceled);
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync(Canceled)).Status);

        await using (var other = await DatacakeNode.StartAsync(options => Configure(options.WithNodeId(2).WithSeeds(node.Address)), Canceled))
        {
            // A node that has never joined is not missed.
            await other.OpenStoreAsync(Canceled);
            await (await node.OpenStoreAsync(Canceled)).WaitForMembersAsync(2, TimeSpan.FromMinutes(1), Canceled);
            await other.StopAbruptlyAsync();
        }
        await Eventually.WaitUntilAsync(
            async () => await health.CheckHealthAsync(Canceled) is { Status: HealthStatus.Degraded } report
                && report.Entries["datacake"].Description!.Contains("Down: node 2", StringComparison.Ordinal),
            "node 2 is missed");

        static void Configure(DatacakeNodeOptions options) => options.ListenOn("127.0.0.1:0").WithGossip(gossip => gossip.UseLocal()).UseMemory();
    }

    [Fact]
    public async Task Store_that_has_not_joined_is_unhealthy()
    {
        using var host = Build(builder => builder.Services
            .AddDatacake(options => options.WithNodeId(2).ListenOn("127.0.0.1:0").WithSeeds("127.0.0.1:1").UseMemory())
            .AddHealthChecks().AddDatacake());
        await host.StartAsync(Canceled);
        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Canceled);
        Assert.Equal(HealthStatus.Unhealthy, report.Status);
        Assert.Contains("has not joined", report.Entries["datacake"].Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Store_takes_the_settings_of_its_node()
    {
        using var host = Build(builder => builder.Services.AddDatacake(options => options
            .WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory().WithStore(store => store.MaxDocumentLength = 2_000)));
        await host.StartAsync(Canceled);
        await using var db = new VisitContext(host.Services.GetRequiredService<DatacakeNode>());
        db.Visits.Add(new Visit { Id = "home", Notes = new string('x', 2_000) });
        var refusal = await Assert.ThrowsAnyAsync<Exception>(() => db.SaveChangesAsync(Canceled));
        Assert.Contains("2000", refusal.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new DatacakeNodeOptions().WithStore(store => store.MaxDocumentLength = 1));
    }

    [Fact]
    public async Task Contexts_of_named_stores_have_the_data_and_indexes_of_their_stores()
    {
        string tenant = "tenant/1";
        using var host = Build(builder => builder.Services
            .AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory()
                .WithStore("diary", store => store.UseMemory())
                .WithStores(_ => store => store.UseMemory().WithModel<TenantContext>()))
            .AddDatacakeContext<DiaryContext>("diary")
            .AddDatacakeContext<TenantContext>(_ => tenant));
        await host.StartAsync(Canceled);
        var node = host.Services.GetRequiredService<DatacakeNode>();
        Assert.Equal(["", "diary"], node.OpenStores.Select(static store => store.Name));
        Assert.True(Assert.Single(node.OpenStores[1].ListIndexes("Visits")).IsBuilt);

        await SaveAsync<VisitContext>("own");
        await SaveAsync<DiaryContext>("diary");
        await SaveAsync<TenantContext>("first");
        tenant = "tenant/2";
        await SaveAsync<TenantContext>("second");

        Assert.Equal(["", "diary", "tenant/1", "tenant/2"], node.OpenStores.Select(static store => store.Name));
        foreach (var (store, id) in new[] { ("diary", "diary"), ("tenant/1", "first"), ("tenant/2", "second") })
        {
            await using var db = new TenantContext(node, store);
            Assert.Equal(store, db.StoreName);
            Assert.Equal([id], await db.Visits.Select(static visit => visit.Id).ToListAsync(Canceled));
        }
        await host.StopAsync(Canceled);

        async Task SaveAsync<TContext>(string id)
            where TContext : DatacakeContext
        {
            await using var scope = host.Services.CreateAsyncScope();
            var db = scope.ServiceProvider.GetRequiredService<TContext>();
            db.Add(new Visit { Id = id });
            await db.SaveChangesAsync(Canceled);
        }
    }

    [Fact]
    public async Task Context_of_a_named_store_that_the_node_does_not_hold_says_so_when_it_is_used()
    {
        using var host = Build(builder => builder.Services
            .AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory())
            .AddDatacakeContext<DiaryContext>("diary"));
        await host.StartAsync(Canceled);
        await using var scope = host.Services.CreateAsyncScope();

        var error = await Assert.ThrowsAsync<StoreNotHeldException>(() => scope.ServiceProvider.GetRequiredService<DiaryContext>().Visits.CountAsync(Canceled));

        Assert.Equal("diary", error.Store);
        await host.StopAsync(Canceled);
    }

    static IHost Build(Action<HostApplicationBuilder>? configure = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        if (configure is null)
            builder.Services.AddDatacake(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory());
        configure?.Invoke(builder);
        builder.Services.AddDatacakeContext(node => new VisitContext(node));
        return builder.Build();
    }

    sealed class CountingInterceptor : DatacakeInterceptor
    {
        public int Saves { get; private set; }

        public override ValueTask SavedChangesAsync(DatacakeContext context, SavedChangesEventArgs save, CancellationToken cancellationToken)
        {
            Saves++;
            return default;
        }
    }
}
