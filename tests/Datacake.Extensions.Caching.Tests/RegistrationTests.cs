using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Datacake.EventualConsistency;
using Datacake.Hosting;
using Datacake.Node;
using Datacake.Storage;
using Datacake.Testing;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Datacake.Extensions.Caching.Tests;

/// <summary>The caches as services of an application.</summary>
public sealed class RegistrationTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Caches_are_resolved_before_the_host_has_started_and_need_the_node_when_they_are_used()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddDistributedDatacakeCache().AddDatacakeHybridCache().AddDatacake(static options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory());
        using var host = builder.Build();
        var cache = host.Services.GetRequiredService<IDistributedCache>();
        var hybrid = host.Services.GetRequiredService<HybridCache>();
        Assert.Same(host.Services.GetRequiredService<DatacakeDistributedCache>(), cache);
        Assert.Same(host.Services.GetRequiredService<DatacakeHybridCache>(), hybrid);
        var e = Assert.Throws<InvalidOperationException>(() => cache.Get("k"));
        Assert.StartsWith("The Datacake node has not started yet.", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await hybrid.GetOrCreateAsync("k", static _ => ValueTask.FromResult(1), cancellationToken: Canceled));
        await host.StartAsync(Canceled);
        await cache.SetStringAsync("k", "value", Canceled);
        Assert.Equal("value", await cache.GetStringAsync("k", Canceled));
        Assert.Equal(1, await hybrid.GetOrCreateAsync("k", static _ => ValueTask.FromResult(1), cancellationToken: Canceled));
        await host.StopAsync(Canceled);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => cache.GetAsync("k", Canceled));
    }

    [Fact]
    public async Task Cache_without_a_registered_node_is_refused_naming_the_missing_call()
    {
        await using var services = new ServiceCollection().AddDistributedDatacakeCache(static options => options.SizeLimit = null).AddDatacakeHybridCache().BuildServiceProvider();
        const string Expected = "A Datacake cache needs a node, but none is registered. Call services.AddDatacake(options => …), too, or name the node with UseNode.";
        Assert.Equal(Expected, Assert.Throws<InvalidOperationException>(() => services.GetRequiredService<IDistributedCache>().Get("k")).Message);
        var e = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await services.GetRequiredService<HybridCache>().GetOrCreateAsync("k", static _ => ValueTask.FromResult(1), cancellationToken: Canceled));
        Assert.Equal(Expected, e.Message);
    }

    [Fact]
    public async Task Json_options_of_the_cache_go_before_a_serializer_factory_of_the_application()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        foreach (bool hasOptions in (bool[])[true, false])
        {
            await using var services = new ServiceCollection()
                .AddSingleton<IHybridCacheSerializerFactory, RefusingSerializers>()
                .AddDatacakeHybridCache(options =>
                {
                    options.UseNode(_ => node.Node);
                    options.JsonSerializerOptions = hasOptions ? new JsonSerializerOptions() : null;
                })
                .BuildServiceProvider();
            var cache = services.GetRequiredService<HybridCache>();
            if (hasOptions)
                await cache.SetAsync("k", 1, cancellationToken: Canceled);
            else
                await Assert.ThrowsAsync<NotSupportedException>(async () => await cache.SetAsync("k", 1, cancellationToken: Canceled));
        }
    }

    [Fact]
    public async Task Cache_uses_the_node_that_its_options_name()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var services = new ServiceCollection()
            .AddDistributedDatacakeCache(options => options.UseNode(_ => node.Node))
            .AddDatacakeHybridCache(options => options.UseNode(_ => node.Node))
            .BuildServiceProvider();
        await services.GetRequiredService<IDistributedCache>().SetStringAsync("k", "value", Canceled);
        await services.GetRequiredService<HybridCache>().SetAsync("k", "value", cancellationToken: Canceled);
        Assert.Equal(["cache", "hybrid-cache"], node.Store.ListKeyspaces());
    }

    [Fact]
    public async Task Hybrid_cache_of_the_framework_works_on_the_distributed_cache_with_tags()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        var collection = new ServiceCollection().AddDistributedDatacakeCache(options => options.UseNode(_ => node.Node));
        collection.AddHybridCache();
        await using var services = collection.BuildServiceProvider();
        await using var later = collection.BuildServiceProvider();
        int made = 0;
        await CheckAsync(services, 1);
        // It stores the value after it has returned it.
        await Eventually.WaitUntilAsync(() => services.GetRequiredService<IDistributedCache>().Get("k") is not null, "the value is stored");
        await CheckAsync(later, 1);
        await services.GetRequiredService<HybridCache>().RemoveByTagAsync("t", Canceled);
        await CheckAsync(services, 2);
        await services.GetRequiredService<HybridCache>().RemoveAsync("k", Canceled);
        await CheckAsync(services, 3);

        async Task CheckAsync(IServiceProvider provider, int expected) => Assert.Equal(
            expected, await provider.GetRequiredService<HybridCache>().GetOrCreateAsync("k", _ => ValueTask.FromResult(++made), tags: ["t"], cancellationToken: Canceled));
    }

    [Fact]
    public async Task Hybrid_cache_takes_the_place_of_that_of_the_framework_and_uses_its_serializers()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        var collection = new ServiceCollection();
        collection.AddHybridCache().AddSerializer<int, FortyTwo>();
        collection.AddDatacakeHybridCache(options => options.UseNode(_ => node.Node));
        await using var services = collection.BuildServiceProvider();
        var cache = services.GetRequiredService<HybridCache>();
        Assert.IsType<DatacakeHybridCache>(cache);
        await cache.SetAsync("k", 1, new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableLocalCache }, cancellationToken: Canceled);
        Assert.Equal(42, await cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult(1), cancellationToken: Canceled));
    }

    [Fact]
    public void Invalid_settings_are_refused_when_they_are_registered()
    {
        RefusesDistributed(nameof(DatacakeCacheOptions.Keyspace), static options => options.Keyspace = "");
        RefusesDistributed(nameof(DatacakeCacheOptions.Keyspace), static options => options.Keyspace = new string('k', 201));
        RefusesDistributed(nameof(DatacakeCacheOptions.Keyspace), static options => options.Keyspace = "half \ud800");
        RefusesDistributed(nameof(DatacakeCacheOptions.Consistency), static options => options.Consistency = Consistency.Serial);
        RefusesDistributed(nameof(DatacakeCacheOptions.Consistency), static options => options.Consistency = (Consistency)99);
        RefusesDistributed(nameof(DatacakeCacheOptions.SizeLimit), static options => options.SizeLimit = 1023);
        RefusesDistributed(nameof(DatacakeDistributedCacheOptions.DefaultExpiration), static options => options.DefaultExpiration = TimeSpan.Zero);
        RefusesDistributed(nameof(DatacakeDistributedCacheOptions.DefaultSlidingExpiration), static options => options.DefaultSlidingExpiration = TimeSpan.FromSeconds(-1));
        RefusesHybrid(nameof(DatacakeHybridCacheOptions.MaxExpiration), static options => options.MaxExpiration = TimeSpan.Zero);
        RefusesHybrid(nameof(DatacakeHybridCacheOptions.MaxExpiration), static options => options.MaxExpiration = TimeSpan.FromDays(3651));
        RefusesHybrid(nameof(DatacakeHybridCacheOptions.LocalSizeLimit), static options => options.LocalSizeLimit = -1);
        RefusesHybrid(nameof(DatacakeHybridCacheOptions.LeaseDuration), static options => options.LeaseDuration = TimeSpan.FromMilliseconds(99));
        RefusesHybrid(nameof(DatacakeHybridCacheOptions.DefaultEntryOptions), static options => options.DefaultEntryOptions = new HybridCacheEntryOptions { Expiration = TimeSpan.Zero });
        RefusesHybrid("find", static options => options.UseNode(null!));
        Assert.Throws<ArgumentNullException>("configure", static () => new ServiceCollection().AddDatacakeHybridCache(null!));
        Assert.Throws<ArgumentNullException>("configure", static () => new ServiceCollection().AddDistributedDatacakeCache(null!));
        Assert.Throws<ArgumentNullException>("services", static () => DatacakeCachingServiceCollectionExtensions.AddDistributedDatacakeCache(null!));
        Assert.Throws<ArgumentNullException>("services", static () => DatacakeCachingServiceCollectionExtensions.AddDatacakeHybridCache(null!));
        Assert.Throws<ArgumentNullException>("node", static () => new DatacakeDistributedCache(null!));
        Assert.Throws<ArgumentNullException>("node", static () => new DatacakeHybridCache((DatacakeNode)null!));

        static void RefusesDistributed(string setting, Action<DatacakeDistributedCacheOptions> configure) =>
            Assert.Equal(setting, Assert.ThrowsAny<ArgumentException>(() => new ServiceCollection().AddDistributedDatacakeCache(configure)).ParamName);

        static void RefusesHybrid(string setting, Action<DatacakeHybridCacheOptions> configure) =>
            Assert.Equal(setting, Assert.ThrowsAny<ArgumentException>(() => new ServiceCollection().AddDatacakeHybridCache(configure)).ParamName);
    }

    sealed class FortyTwo : IHybridCacheSerializer<int>
    {
        public int Deserialize(System.Buffers.ReadOnlySequence<byte> source) => 42;

        public void Serialize(int value, System.Buffers.IBufferWriter<byte> target) => target.GetSpan(1);
    }

    /// <summary>Takes every type, like the factory of AddHybridCache.</summary>
    sealed class RefusingSerializers : IHybridCacheSerializerFactory
    {
        public bool TryCreateSerializer<T>([NotNullWhen(true)] out IHybridCacheSerializer<T>? serializer) => throw new NotSupportedException("asked");
    }
}
