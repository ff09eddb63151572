using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Diagnostics;
using Datacake.Extensions.Caching.Keyspaces;
using Datacake.Testing;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;

namespace Datacake.Extensions.Caching.Tests;

/// <summary>The limit of a keyspace's length.</summary>
public sealed class SizeLimitTests
{
    const int Limit = 100_000;

    static readonly byte[] Value = new byte[900];

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Entries_that_expire_first_are_removed_when_the_limit_is_exceeded()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var cache = new DatacakeDistributedCache(node.Node, static options => options.SizeLimit = Limit);
        for (int i = 0; i < 400; i++)
        {
            await cache.SetAsync($"k{i:000}", Value, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(1000 - i) }, Canceled);
            if (i % 20 == 0)
                await Eventually.WaitUntilAsync(async () => await LengthAsync(node) <= Limit, "the limit is kept");
        }
        await Eventually.WaitUntilAsync(async () => await LengthAsync(node) <= Limit, "the limit is kept");
        // The first entries expire last.
        Assert.NotNull(cache.Get("k000"));
        Assert.NotNull(cache.Get("k050"));
        Assert.Null(cache.Get("k150"));
        // No more than a tenth is removed at once, and what was set in the meantime.
        Assert.InRange(await LengthAsync(node), Limit * 6 / 10, Limit);
    }

    [Fact]
    public async Task Entry_without_expiry_counts_as_if_it_expired_a_day_after_it_was_set()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var cache = new DatacakeDistributedCache(node.Node, static options => options.SizeLimit = Limit);
        cache.Set("short", Value, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(1) });
        cache.Set("old", Value, new DistributedCacheEntryOptions());
        cache.Set("long", Value, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.FromDays(7) });
        await FillAsync(node, cache, 120, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.FromDays(3) });
        Assert.Null(cache.Get("short"));
        Assert.Null(cache.Get("old"));
        Assert.NotNull(cache.Get("long"));
    }

    [Fact]
    public async Task Limit_counts_entries_that_were_there_when_the_cache_started()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using (var unlimited = new DatacakeDistributedCache(node.Node, static options => options.SizeLimit = null))
        {
            for (int i = 0; i < 300; i++)
                await unlimited.SetAsync($"k{i}", Value, new DistributedCacheEntryOptions(), Canceled);
        }
        Assert.True(await LengthAsync(node) > 2 * Limit);
        await using var cache = new DatacakeDistributedCache(node.Node, static options => options.SizeLimit = Limit);
        Assert.Null(await cache.GetAsync("missing", Canceled));
        await Eventually.WaitUntilAsync(async () => await LengthAsync(node) <= Limit, "the limit is kept");
        Assert.NotNull(cache.Get("k299"));
        Assert.Null(cache.Get("k0"));
    }

    [Fact]
    public async Task Entry_that_was_set_again_since_the_scan_is_not_removed()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        var documents = node.Store.Keyspace("cache");
        var opened = new OpenedKeyspace(node.Node, node.Store, documents, new CollectingLog(), new CacheMetrics("cache"));
        foreach (var key in (DocumentKey[])["a", "b", "c"])
            await documents.PutAsync(key, Value, Consistency.None, Canceled);
        var victims = await documents.ReadAllAsync(Canceled).Select(static document => (document.Key, document.Document.Born)).ToArrayAsync(Canceled);
        await documents.PutAsync("b", Value, Consistency.None, Canceled);
        Assert.Equal(2, await new KeyspaceSize(opened, Limit).DeleteAsync(victims, Canceled));
        Assert.Equal("b", (await documents.ReadAllAsync(Canceled).SingleAsync(Canceled)).Key);
    }

    [Fact]
    public async Task Expired_and_replaced_entries_do_not_count()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var cache = new DatacakeDistributedCache(node.Node, static options => options.SizeLimit = Limit);
        cache.Set("first", Value, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(10) });
        for (int i = 0; i < 500; i++)
            await cache.SetAsync("same", Value, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.FromDays(10) }, Canceled);
        for (int round = 0; round < 5; round++)
        {
            for (int i = 0; i < 80; i++)
                await cache.SetAsync($"{round}.{i}", Value, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(60) }, Canceled);
            node.Clock.Offset += TimeSpan.FromMinutes(61);
            await Eventually.WaitUntilAsync(async () => await LengthAsync(node) < 3000, "the entries have expired");
        }
        Assert.NotNull(cache.Get("first"));
    }

    [Fact]
    public async Task Limit_is_kept_by_a_cluster_whose_nodes_all_set_entries()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        var caches = Enumerable.Range(0, 3).Select(node => new DatacakeDistributedCache(cluster[node].Node, static options => options.SizeLimit = Limit)).ToArray();
        await Task.WhenAll(caches.Select((cache, node) => Task.Run(async () =>
        {
            for (int i = 0; i < 150; i++)
                await cache.SetAsync($"{node}.{i}", Value, new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(1) }, Canceled);
        })));
        for (int node = 0; node < 3; node++)
        {
            int number = node;
            // All but the first node leave the work to the first, up to a tenth.
            await Eventually.WaitUntilAsync(async () => await LengthAsync(cluster[number]) <= Limit, "the limit is kept on all nodes");
        }
        foreach (var cache in caches)
            await cache.DisposeAsync();
    }

    [Fact]
    public async Task Invalidations_of_tags_and_documents_of_others_are_not_removed()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var cache = new DatacakeHybridCache(node.Node, static options => options.SizeLimit = Limit);
        await node.Store.Keyspace("hybrid-cache").PutAsync(7, "another's"u8.ToArray(), Consistency.None, Canceled);
        await cache.SetAsync("tagged", "old", new HybridCacheEntryOptions { Expiration = TimeSpan.FromDays(7) }, ["t"], Canceled);
        await cache.RemoveByTagAsync("t", Canceled);
        for (int i = 0; i < 200; i++)
            await cache.SetAsync($"k{i}", Value, cancellationToken: Canceled);
        await Eventually.WaitUntilAsync(async () => await LengthAsync(node, "hybrid-cache") <= Limit, "the limit is kept");
        await using var later = new DatacakeHybridCache(node.Node);
        Assert.Equal("new", await later.GetOrCreateAsync("tagged", static _ => ValueTask.FromResult("new"), tags: ["t"], cancellationToken: Canceled));
        Assert.NotNull(await node.Store.Keyspace("hybrid-cache").GetAsync(7, Canceled));
    }

    static async Task FillAsync(TestNode node, DatacakeDistributedCache cache, int count, DistributedCacheEntryOptions options)
    {
        for (int i = 0; i < count; i++)
            await cache.SetAsync($"fill{i}", Value, options, Canceled);
        await Eventually.WaitUntilAsync(async () => await LengthAsync(node) <= Limit, "the limit is kept");
    }

    static async Task<long> LengthAsync(TestNode node, string keyspace = "cache") =>
        await node.Store.Keyspace(keyspace).ReadAllAsync(Canceled).SumAsync(static document => (long)document.Key.Encoded.Length + document.Document.Encoded.Length + 64, Canceled);
}
