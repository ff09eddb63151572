using Datacake.EventualConsistency;
using Datacake.Lmdb;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Testing;
using Microsoft.Extensions.Caching.Distributed;

namespace Datacake.Extensions.Caching.Tests;

/// <summary>The distributed cache on several nodes, and over restarts.</summary>
public sealed class ClusterCacheTests
{
    static readonly DistributedCacheEntryOptions Hour = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(1) };

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Set_and_removal_on_one_node_are_seen_on_all_others()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        await using var caches = new CacheSet(cluster);
        await caches[0].SetAsync("k", [1], Hour, Canceled);
        await Eventually.WaitUntilAsync(() => caches[1].Get("k") is [1] && caches[2].Get("k") is [1], "the entry is on all nodes");
        await caches[1].RemoveAsync("k", Canceled);
        await Eventually.WaitUntilAsync(() => caches[0].Get("k") is null && caches[2].Get("k") is null, "the entry is gone on all nodes");
    }

    [Fact]
    public async Task Entry_set_at_quorum_is_on_a_majority_when_the_call_returns()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        await using var caches = new CacheSet(cluster, Consistency.Quorum);
        for (byte i = 0; i < 20; i++)
        {
            await caches[0].SetAsync("k", [i], Hour, Canceled);
            Assert.True(caches[1].Get("k") is [var second] && second == i || caches[2].Get("k") is [var third] && third == i);
        }
    }

    [Fact]
    public async Task Two_nodes_that_set_one_key_agree_on_one_value()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var caches = new CacheSet(cluster);
        for (byte i = 0; i < 50; i++)
            await Task.WhenAll(caches[0].SetAsync("k", [0, i], Hour, Canceled), caches[1].SetAsync("k", [1, i], Hour, Canceled));
        await Eventually.WaitUntilAsync(() => caches[0].Get("k")!.SequenceEqual(caches[1].Get("k")!), "both nodes have the same value");
        Assert.Equal(49, caches[0].Get("k")![1]);
    }

    [Fact]
    public async Task Node_that_is_cut_off_continues_to_work_and_the_later_set_wins_when_it_is_back()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        await using var caches = new CacheSet(cluster);
        await caches[0].SetAsync("k", [1], Hour, Canceled);
        await Eventually.WaitUntilAsync(() => caches[2].Get("k") is [1], "the entry is on all nodes");
        cluster.Cut(2);
        await caches[2].SetAsync("k", [2], Hour, Canceled);
        await caches[2].SetAsync("alone", [3], Hour, Canceled);
        Assert.Equal([2], caches[2].Get("k"));
        // Later also by its clock, of which the other node knows nothing.
        cluster[0].Clock.Offset += TimeSpan.FromSeconds(1);
        await caches[0].SetAsync("k", [4], Hour, Canceled);
        cluster.Heal();
        await Eventually.WaitUntilAsync(() => caches[2].Get("k") is [4] && caches[0].Get("alone") is [3] && caches[1].Get("alone") is [3], "all nodes have everything");
    }

    [Fact]
    public async Task Set_at_quorum_without_a_majority_is_refused_and_stores_nothing()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        await using var caches = new CacheSet(cluster, Consistency.Quorum);
        await caches[0].SetAsync("k", [1], Hour, Canceled);
        await cluster.StopAsync(1);
        await cluster.StopAsync(2);
        await Eventually.WaitUntilAsync(() => cluster[0].Store.Members.Count(static member => member.IsUp) == 1, "the others are down");
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => caches[0].SetAsync("k", [2], Hour, Canceled));
        Assert.Throws<NotEnoughNodesException>(() => caches[0].Remove("k"));
        Assert.Equal([1], caches[0].Get("k"));
    }

    [Fact]
    public async Task Read_on_one_node_keeps_a_sliding_entry_alive_on_all()
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var caches = new CacheSet(cluster, Consistency.Quorum);
        await caches[0].SetAsync("k", [1], new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(20) }, Canceled);
        var first = await cluster[1].Store.Keyspace("cache").GetAsync("d:k", Canceled);
        foreach (int node in (int[])[0, 1])
            cluster[node].Clock.Offset += TimeSpan.FromMinutes(10);
        await caches[1].RefreshAsync("k", Canceled);
        await Eventually.WaitUntilAsync(async () => (await cluster[0].Store.Keyspace("cache").GetAsync("d:k", Canceled))?.Expires > first!.Expires, "the renewal has arrived");
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("lmdb")]
    public async Task Entries_survive_a_restart_with_their_expiries(string storage)
    {
        var folder = Directory.CreateTempSubdirectory("datacake-test-");
        try
        {
            string path = Path.Combine(folder.FullName, "cache");
            await using (var node = await StartAsync(storage, path))
            {
                await using var cache = new DatacakeDistributedCache(node);
                await using var hybrid = new DatacakeHybridCache(node);
                await cache.SetAsync("k", [1], Hour, Canceled);
                await cache.SetAsync("sliding", [2], new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromHours(1) }, Canceled);
                await cache.SetAsync("short", [3], new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.FromMilliseconds(1) }, Canceled);
                await hybrid.SetAsync("h", "value", cancellationToken: Canceled);
                await hybrid.SetAsync("tagged", "old", tags: ["t"], cancellationToken: Canceled);
                await hybrid.RemoveByTagAsync("t", Canceled);
            }
            await using (var node = await StartAsync(storage, path))
            {
                await using var cache = new DatacakeDistributedCache(node);
                await using var hybrid = new DatacakeHybridCache(node);
                Assert.Equal([1], await cache.GetAsync("k", Canceled));
                Assert.Equal([2], await cache.GetAsync("sliding", Canceled));
                await Eventually.WaitUntilAsync(() => cache.Get("short") is null, "the entry has expired");
                Assert.Equal("value", await hybrid.GetOrCreateAsync("h", static _ => ValueTask.FromResult("other"), cancellationToken: Canceled));
                Assert.Equal("new", await hybrid.GetOrCreateAsync("tagged", static _ => ValueTask.FromResult("new"), tags: ["t"], cancellationToken: Canceled));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    static async Task<DatacakeNode> StartAsync(string storage, string path)
    {
        var node = await DatacakeNode.StartAsync(
            options =>
            {
                options.WithNodeId(1).ListenOn("127.0.0.1:0");
                _ = storage == "lmdb" ? options.UseLmdb(path) : options.UseSqlite(path);
            },
            Canceled);
        await node.OpenStoreAsync(Canceled);
        return node;
    }

    /// <summary>A distributed cache on each node.</summary>
    sealed class CacheSet(TestCluster cluster, Consistency level = Consistency.None) : IAsyncDisposable
    {
        readonly DatacakeDistributedCache[] _caches =
            [.. Enumerable.Range(0, cluster.Count).Select(node => new DatacakeDistributedCache(cluster[node].Node, options => options.Consistency = level))];

        public DatacakeDistributedCache this[int node] => _caches[node];

        public async ValueTask DisposeAsync()
        {
            foreach (var cache in _caches)
                await cache.DisposeAsync();
        }
    }
}
