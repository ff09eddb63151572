using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using Datacake.AspNetCore.OutputCaching;
using Datacake.AspNetCore.Tests.Fixtures;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.AspNetCore.Tests;

public class OutputCacheTests
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Response_of_one_node_is_served_by_the_other_until_its_tag_is_evicted()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        var calls = new Calls();
        await using var first = await StartAsync(cluster[0].Node, calls);
        await using var second = await StartAsync(cluster[1].Node, calls);

        Assert.Equal("page 1", await first.Client.GetStringAsync("/page", Canceled));
        await WaitUntilReplicatedAsync(cluster);
        Assert.Equal("page 1", await first.Client.GetStringAsync("/page", Canceled));
        Assert.Equal("page 1", await second.Client.GetStringAsync("/page", Canceled));

        await second.Services.GetRequiredService<IOutputCacheStore>().EvictByTagAsync("other", Canceled);
        Assert.Equal("page 1", await second.Client.GetStringAsync("/page", Canceled));
        await second.Services.GetRequiredService<IOutputCacheStore>().EvictByTagAsync("pages", Canceled);

        Assert.Equal("page 2", await second.Client.GetStringAsync("/page", Canceled));
        await Eventually.WaitUntilAsync(async () => await first.Client.GetStringAsync("/page", Canceled) != "page 1", "the first node no longer serves the old page");
    }

    // A page that was read before the change that the eviction tells of must not be stored after it.
    [Fact]
    public async Task Response_that_was_begun_before_an_eviction_is_not_stored()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        var calls = new Calls();
        await using var first = await StartAsync(cluster[0].Node, calls);
        await using var second = await StartAsync(cluster[1].Node, new Calls());
        await first.Client.GetStringAsync("/warm", Canceled);
        calls.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        var begun = first.Client.GetStringAsync("/page", Canceled);
        await Eventually.WaitUntilAsync(() => calls.Count == 1, "the handler runs");
        await second.Services.GetRequiredService<IOutputCacheStore>().EvictByTagAsync("pages", Canceled);
        await WaitUntilReplicatedAsync(cluster);
        calls.Gate.SetResult();

        Assert.Equal("page 1", await begun);
        Assert.Equal("page 2", await first.Client.GetStringAsync("/page", Canceled));
    }

    [Fact]
    public async Task Application_serves_its_pages_while_the_cache_fails()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        await using var node = await StartAsync(cluster[0].Node, new Calls(), static options => options.Consistency = Consistency.Quorum);
        await cluster.StopAsync(1);
        await cluster.StopAsync(2);

        Assert.Equal("page 1", await node.Client.GetStringAsync("/page", Canceled));
        Assert.Equal("page 2", await node.Client.GetStringAsync("/page", Canceled));
    }

    [Fact]
    public async Task Response_expires()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var store = StoreOn(test);
        await store.SetAsync("short", [1], null, Minute, Canceled);
        await store.SetAsync("limited", [2], null, TimeSpan.MaxValue, Canceled);
        await store.SetAsync("none", [3], null, TimeSpan.Zero, Canceled);

        Assert.Equal([1], await store.GetAsync("short", Canceled));
        Assert.Null(await store.GetAsync("none", Canceled));
        test.Clock.Offset += Minute;
        Assert.Null(await store.GetAsync("short", Canceled));
        Assert.Equal([2], await store.GetAsync("limited", Canceled));
        test.Clock.Offset += TimeSpan.FromDays(30);
        Assert.Null(await store.GetAsync("limited", Canceled));
    }

    [Fact]
    public async Task Eviction_concerns_the_responses_before_it_with_that_tag()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var store = StoreOn(test);
        await store.SetAsync("both", [1], ["a", "b"], Minute, Canceled);
        await store.SetAsync("b", [2], ["b"], Minute, Canceled);
        await store.SetAsync("none", [3], null, Minute, Canceled);

        await store.EvictByTagAsync("a", Canceled);

        Assert.Null(await store.GetAsync("both", Canceled));
        Assert.Equal([2], await store.GetAsync("b", Canceled));
        Assert.Equal([3], await store.GetAsync("none", Canceled));
        // No tag stands for all responses.
        await store.EvictByTagAsync("*", Canceled);
        Assert.Equal([3], await store.GetAsync("none", Canceled));
        await store.SetAsync("both", [4], ["a", "b"], Minute, Canceled);
        Assert.Equal([4], await store.GetAsync("both", Canceled));
    }

    [Fact]
    public async Task Evictions_are_known_after_a_restart_and_forgotten_when_nothing_from_before_can_be_left()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using (var store = StoreOn(test))
        {
            await store.SetAsync("page", [1], ["a"], Minute, Canceled);
            await store.EvictByTagAsync("a", Canceled);
        }
        await using var restarted = StoreOn(test);

        Assert.Null(await restarted.GetAsync("page", Canceled));
        Assert.Equal(1, restarted.RememberedTags);
        test.Clock.Offset += TimeSpan.FromDays(31) + Minute;
        await Eventually.WaitUntilAsync(() => restarted.RememberedTags == 0, "the eviction is forgotten");
    }

    [Fact]
    public async Task Buffers_are_read_and_written()
    {
        await using var test = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var store = StoreOn(test);
        byte[] value = new byte[200_000];
        value[^1] = 7;
        var pipe = new Pipe();

        await store.SetAsync("page", new ReadOnlySequence<byte>(value), default, Minute, Canceled);
        Assert.False(await store.TryGetAsync("missing", pipe.Writer, Canceled));
        Assert.True(await store.TryGetAsync("page", pipe.Writer, Canceled));

        await pipe.Writer.CompleteAsync();
        var read = await pipe.Reader.ReadAtLeastAsync(value.Length, Canceled);
        Assert.Equal(value, read.Buffer.ToArray());
    }

    [Fact]
    public async Task Response_that_is_too_large_is_refused_with_the_remedy()
    {
        await using var test = await TestNode.StartAsync(static options => options.WithStore(static store => store.MaxDocumentLength = 10_000), Canceled);
        await using var store = StoreOn(test);
        await using var small = StoreOn(test, static options => (options.Keyspace, options.SizeLimit) = ("small", 2000));

        var document = await Assert.ThrowsAsync<ArgumentException>(async () => await store.SetAsync("page", new byte[20_000], null, Minute, Canceled));
        var cache = await Assert.ThrowsAsync<ArgumentException>(async () => await small.SetAsync("page", new byte[3000], null, Minute, Canceled));

        Assert.Contains("MaxDocumentLength", document.Message, StringComparison.Ordinal);
        Assert.Contains("SizeLimit", cache.Message, StringComparison.Ordinal);
        Assert.Null(await store.GetAsync("page", Canceled));
    }

    [Fact]
    public void Settings_out_of_range_are_refused_by_name()
    {
        var services = new ServiceCollection();

        Assert.Equal("MaxExpiration", Assert.Throws<ArgumentException>(() => services.AddDatacakeOutputCache(static options => options.MaxExpiration = TimeSpan.Zero)).ParamName);
        Assert.Equal("Keyspace", Assert.Throws<ArgumentException>(() => services.AddDatacakeOutputCache(static options => options.Keyspace = "")).ParamName);
    }

    /// <summary>Waits until all nodes have the same number of documents, responses and evictions together.</summary>
    static Task WaitUntilReplicatedAsync(TestCluster cluster) => Eventually.WaitUntilAsync(
        async () => (await Task.WhenAll(Enumerable.Range(0, cluster.Count).Select(async node => (await cluster[node].Store.Keyspace("output-cache").GetStatisticsAsync(Canceled)).Count)))
            .Distinct().Count() == 1,
        "all nodes have the responses and evictions");

    static DatacakeOutputCacheStore StoreOn(TestNode test) => StoreOn(test, static _ => { });

    static DatacakeOutputCacheStore StoreOn(TestNode test, Action<DatacakeOutputCacheOptions> configure)
    {
        var options = new DatacakeOutputCacheOptions();
        configure(options);
        return new DatacakeOutputCacheStore(() => test.Node, options);
    }

    static Task<WebNode> StartAsync(DatacakeNode node, Calls calls) => StartAsync(node, calls, static _ => { });

    static async Task<WebNode> StartAsync(DatacakeNode node, Calls calls, Action<DatacakeOutputCacheOptions> configure)
    {
        var web = await StartApplicationAsync(node, calls, configure);
        // The host is a part of the key, and behind a load balancer, it is the same on all nodes.
        web.Client.DefaultRequestHeaders.Host = "shop.example";
        return web;
    }

    static Task<WebNode> StartApplicationAsync(DatacakeNode node, Calls calls, Action<DatacakeOutputCacheOptions> configure) => WebNode.StartAsync(
        node,
        services => services.AddDatacakeOutputCache(configure),
        app =>
        {
            app.UseOutputCache();
            app.MapGet("/warm", static () => "warm").CacheOutput();
            app.MapGet("/page", async () =>
            {
                int call = calls.Begin();
                await calls.Gate.Task;
                return string.Create(CultureInfo.InvariantCulture, $"page {call}");
            }).CacheOutput(static policy => policy.Tag("pages").Expire(TimeSpan.FromHours(1)));
        });

    /// <summary>The calls of a handler, which wait at a gate.</summary>
    sealed class Calls
    {
        int _count;

        public Calls() => Gate.SetResult();

        public TaskCompletionSource Gate { get; set; } = new();

        public int Count => Volatile.Read(ref _count);

        public int Begin() => Interlocked.Increment(ref _count);
    }
}
