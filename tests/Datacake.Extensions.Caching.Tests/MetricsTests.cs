using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Datacake.Testing;
using Microsoft.Extensions.Caching.Distributed;

namespace Datacake.Extensions.Caching.Tests;

/// <summary>The metrics of the caches.</summary>
public sealed class MetricsTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reads_are_counted_by_their_result_and_evictions_by_their_entries()
    {
        // Tests run side by side, so that only the keyspaces of this one count.
        var counts = new ConcurrentDictionary<string, long>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Datacake.Extensions.Caching")
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var values = tags.ToArray().ToDictionary(static tag => tag.Key, static tag => tag.Value);
            counts.AddOrUpdate($"{instrument.Name} {values["node"]} {values["keyspace"]} {values.GetValueOrDefault("result")}", value, (_, before) => before + value);
        });
        listener.Start();
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var cache = new DatacakeDistributedCache(node.Node, static options => (options.Keyspace, options.SizeLimit) = ("measured", 2000));
        await using var hybrid = new DatacakeHybridCache(node.Node, static options => options.Keyspace = "measured-hybrid");
        await using var another = new DatacakeHybridCache(node.Node, static options => options.Keyspace = "measured-hybrid");
        cache.Set("k", [1], new DistributedCacheEntryOptions());
        cache.Get("k");
        cache.Get("k");
        cache.Get("other");
        foreach (var reader in (DatacakeHybridCache[])[hybrid, hybrid, another, another, another])
            await reader.GetOrCreateAsync("k", static _ => ValueTask.FromResult(1), cancellationToken: Canceled);
        int id = node.Node.Id;
        Assert.Equal(2, counts[$"datacake.cache.reads {id} measured store"]);
        Assert.Equal(1, counts[$"datacake.cache.reads {id} measured missing"]);
        Assert.Equal(3, counts[$"datacake.cache.reads {id} measured-hybrid memory"]);
        Assert.Equal(1, counts[$"datacake.cache.reads {id} measured-hybrid store"]);
        Assert.Equal(1, counts[$"datacake.cache.reads {id} measured-hybrid missing"]);
        for (int i = 0; i < 3; i++)
            await cache.SetAsync($"large{i}", new byte[1000], new DistributedCacheEntryOptions(), Canceled);
        await Eventually.WaitUntilAsync(() => counts.GetValueOrDefault($"datacake.cache.evictions {id} measured ") > 0, "an eviction is counted");
    }
}
