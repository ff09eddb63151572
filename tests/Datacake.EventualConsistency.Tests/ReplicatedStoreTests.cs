using System.Text;
using Datacake.Node;

namespace Datacake.EventualConsistency.Tests;

public sealed class ReplicatedStoreTests
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_single_node_puts_reads_and_deletes()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var cakes = cluster.Stores[0].Keyspace("cakes");

        await cakes.PutAsync(1, "Hello, world!"u8.ToArray(), Consistency.All, Cancelled);
        Assert.Equal("Hello, world!", Text(await cakes.GetAsync(1, Cancelled)));
        Assert.Equal(1, (await cakes.GetStatisticsAsync(Cancelled)).Count);

        await cakes.DeleteAsync(1, Consistency.All, Cancelled);
        Assert.Null(await cakes.GetAsync(1, Cancelled));
        Assert.Equal(new KeyspaceStatistics("cakes", 0, 0), await cakes.GetStatisticsAsync(Cancelled));
    }

    [Fact]
    public async Task What_is_put_with_All_is_on_every_node_when_the_call_returns()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        for (int i = 0; i < 100; i++)
            await cluster.Stores[i % 3].Keyspace("cakes").PutAsync(i, BitConverter.GetBytes(i), Consistency.All, Cancelled);
        foreach (var store in cluster.Stores)
        {
            var all = await store.Keyspace("cakes").ReadAllAsync(Cancelled).ToListAsync(Cancelled);
            Assert.Equal(Enumerable.Range(0, 100), all.Select(cake => BitConverter.ToInt32(cake.Document.Value!.Value.Span)));
        }
        var fingerprints = new List<KeyspaceStatistics>();
        foreach (var store in cluster.Stores)
            fingerprints.Add(await store.Keyspace("cakes").GetStatisticsAsync(Cancelled));
        Assert.Single(fingerprints.Distinct());
    }

    static string? Text(Crdt.Document? document) => document?.Value is { } value ? Encoding.UTF8.GetString(value.Span) : null;
}
