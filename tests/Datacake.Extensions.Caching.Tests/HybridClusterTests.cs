using System.Text;
using Datacake.EventualConsistency;
using Datacake.Testing;
using Microsoft.Extensions.Caching.Hybrid;

namespace Datacake.Extensions.Caching.Tests;

/// <summary>The memory of several nodes, which changes on one of them invalidate.</summary>
public sealed class HybridClusterTests : IAsyncLifetime
{
    TestCluster _cluster = null!;
    DatacakeHybridCache[] _caches = null!;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        _caches = [.. Enumerable.Range(0, 3).Select(node => new DatacakeHybridCache(_cluster[node].Node))];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var cache in _caches)
            await cache.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task Entry_removed_on_one_node_is_gone_from_the_memory_of_all()
    {
        await FillAsync("k");
        await _caches[1].RemoveAsync("k", Canceled);
        Assert.Null(await FindAsync(_caches[1], "k"));
        await Eventually.WaitUntilAsync(() => Array.TrueForAll(_caches, static cache => cache.LocalSize.Count == 0), "the memory of all nodes is empty");
        await CheckMissingAsync("k");
    }

    [Fact]
    public async Task Tag_invalidated_on_one_node_removes_its_entries_on_all()
    {
        await FillAsync("a", "red");
        await FillAsync("b", "blue");
        await _caches[2].RemoveByTagAsync("red", Canceled);
        Assert.Null(await FindAsync(_caches[2], "a"));
        await CheckMissingAsync("a");
        foreach (var cache in _caches)
            Assert.Equal("value", await FindAsync(cache, "b"));
        await _caches[0].RemoveByTagAsync("*", Canceled);
        await CheckMissingAsync("b");
    }

    [Fact]
    public async Task Entry_set_on_one_node_replaces_the_one_in_the_memory_of_all()
    {
        await FillAsync("k");
        for (int i = 0; i < 20; i++)
        {
            string value = $"value {i}";
            await _caches[i % 3].SetAsync("k", value, cancellationToken: Canceled);
            Assert.Equal(value, await FindAsync(_caches[i % 3], "k"));
            foreach (var cache in _caches)
                await Eventually.WaitUntilAsync(async () => await FindAsync(cache, "k") == value, "the value is on all nodes");
        }
    }

    [Fact]
    public async Task Memory_of_all_nodes_ends_with_the_last_value_whatever_the_order_of_reads_and_sets()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Canceled);
        var reading = _caches.Select(cache => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                for (int key = 0; key < 5; key++)
                    await FindAsync(cache, $"k{key}");
            }
        })).ToArray();
        var setting = _caches.Select((cache, node) => Task.Run(async () =>
        {
            for (int i = 0; i < 200; i++)
                await cache.SetAsync($"k{i % 5}", $"{node}.{i}", cancellationToken: Canceled);
        })).ToArray();
        await Task.WhenAll(setting);
        await Eventually.WaitUntilAsync(
            async () =>
            {
                for (int key = 0; key < 5; key++)
                {
                    var stored = await _cluster[0].Store.Keyspace("hybrid-cache").GetAsync($"h:k{key}", Canceled);
                    string last = Encoding.UTF8.GetString(stored!.Value!.Value.Span);
                    foreach (var cache in _caches)
                    {
                        if (await FindAsync(cache, $"k{key}") is not { } value || !last.EndsWith(value, StringComparison.Ordinal))
                            return false;
                    }
                }
                return true;
            },
            "the memory of all nodes has the last values");
        await stop.CancelAsync();
        await Task.WhenAll(reading);
    }

    [Fact]
    public async Task Node_whose_watch_falls_behind_ends_with_the_last_values_and_invalidations()
    {
        await using var cluster = await TestCluster.StartAsync(2, static (_, options) => options.WithStore(static store => store.MaxWatchBufferLength = 0), Canceled);
        await using var first = new DatacakeHybridCache(cluster[0].Node);
        await using var second = new DatacakeHybridCache(cluster[1].Node);
        for (int round = 0; round < 5; round++)
        {
            string last = $"value {round}";
            await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
            {
                await first.SetAsync($"k{i}", last, tags: ["t"], cancellationToken: Canceled);
                await FindAsync(second, $"k{i}");
            }));
            for (int i = 0; i < 200; i++)
            {
                string key = $"k{i}";
                await Eventually.WaitUntilAsync(async () => await FindAsync(first, key) == last && await FindAsync(second, key) == last, "both nodes have the last value");
            }
            await first.RemoveByTagAsync("t", Canceled);
            await Eventually.WaitUntilAsync(async () => await FindAsync(second, "k0") is null && await FindAsync(second, "k199") is null, "the tag is invalidated on both nodes");
        }
    }

    [Fact]
    public async Task Node_that_is_cut_off_works_alone_and_learns_of_invalidations_when_it_is_back()
    {
        await FillAsync("a", "red");
        await FillAsync("b");
        await FillAsync("c");
        _cluster.Cut(2);
        await _caches[0].RemoveByTagAsync("red", Canceled);
        await _caches[0].RemoveAsync("b", Canceled);
        Assert.Equal("value", await FindAsync(_caches[2], "a"));
        Assert.Equal("value", await FindAsync(_caches[2], "b"));
        await _caches[2].RemoveAsync("c", Canceled);
        Assert.Equal("alone", await _caches[2].GetOrCreateAsync("d", static _ => ValueTask.FromResult("alone"), cancellationToken: Canceled));
        _cluster.Heal();
        await CheckMissingAsync("a");
        await CheckMissingAsync("b");
        await CheckMissingAsync("c");
        await Eventually.WaitUntilAsync(async () => await FindAsync(_caches[0], "d") == "alone", "the entry is on the other nodes");
    }

    [Fact]
    public async Task Invalidation_is_remembered_by_a_node_that_was_stopped()
    {
        await FillAsync("a", "red");
        await _caches[2].DisposeAsync();
        await _cluster.StopAsync(2);
        await _caches[0].RemoveByTagAsync("red", Canceled);
        await _cluster.StartAsync(2);
        _caches[2] = new DatacakeHybridCache(_cluster[2].Node);
        await CheckMissingAsync("a");
    }

    [Fact]
    public async Task Value_made_after_an_invalidation_stays_valid_on_all_nodes()
    {
        for (int i = 0; i < 20; i++)
        {
            await FillAsync("k", "red");
            await _caches[0].RemoveByTagAsync("red", Canceled);
            Assert.Equal($"new {i}", await _caches[0].GetOrCreateAsync("k", _ => ValueTask.FromResult($"new {i}"), tags: ["red"], cancellationToken: Canceled));
            foreach (var cache in _caches)
                await Eventually.WaitUntilAsync(async () => await FindAsync(cache, "k") == $"new {i}", "the new value is on all nodes");
            await _caches[0].RemoveAsync("k", Canceled);
        }
    }

    /// <summary>Sets an entry, and waits until it is in the memory of all nodes.</summary>
    async Task FillAsync(string key, params string[] tags)
    {
        await _caches[0].SetAsync(key, "value", tags: tags, cancellationToken: Canceled);
        foreach (var cache in _caches)
            await Eventually.WaitUntilAsync(async () => await FindAsync(cache, key) == "value", "the entry is on all nodes");
    }

    async Task CheckMissingAsync(string key)
    {
        foreach (var cache in _caches)
            await Eventually.WaitUntilAsync(async () => await FindAsync(cache, key) is null, "the entry is gone on all nodes");
    }

    static async Task<string?> FindAsync(DatacakeHybridCache cache, string key) =>
        await cache.GetOrCreateAsync<string?>(
            key, static _ => ValueTask.FromResult<string?>(null), new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableUnderlyingData }, cancellationToken: Canceled);
}
