using Datacake.Crdt;
using Datacake.EventualConsistency.Tests.Fixtures;

namespace Datacake.EventualConsistency.Tests.Escrow;

/// <summary>Bounded counters on nodes over loopback TCP.</summary>
public sealed class BoundedCounterNodesTests
{
    const string Shop = "shop", Stock = "Stock";

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nodes_that_sell_at_the_same_time_sell_everything_and_no_more()
    {
        const int Count = 60;
        await using var cluster = await TestCluster.StartAsync(3);
        await PutAsync(cluster[1].Store, Count);
        await WaitForDocumentAsync(cluster);

        int[] sold = await Task.WhenAll(Enumerable.Range(1, 3).Select(async node =>
        {
            int count = 0;
            while (await TrySellAsync(cluster[node].Store))
                count++;
            return count;
        }));

        Assert.True(sold.Sum() <= Count, $"{string.Join(" + ", sold)} were sold of {Count}.");
        // A node may give up while rights move between the others. What is left can be sold by someone.
        await WaitUntilValueAsync(cluster, Count - sold.Sum());
        for (int left = Count - sold.Sum(); left > 0; left--)
        {
            await TestCluster.WaitUntilAsync(async () =>
            {
                for (int node = 1; node <= 3; node++)
                {
                    if (await TrySellAsync(cluster[node].Store))
                        return true;
                }
                return false;
            }, "some node can sell what is left");
        }
        await WaitUntilValueAsync(cluster, 0);
    }

    [Fact]
    public async Task Save_gets_the_rights_that_it_lacks_from_the_other_nodes()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await PutAsync(cluster[1].Store, 10);
        await WaitForDocumentAsync(cluster);
        await SellAsync(cluster[3].Store, 10, Consistency.All);
        await WaitUntilValueAsync(cluster, 0);
        foreach (var store in cluster.Stores)
            await Assert.ThrowsAsync<CounterBoundException>(() => SellAsync(store, 1));
    }

    [Fact]
    public async Task Separated_nodes_sell_what_they_have_and_never_more_than_there_is()
    {
        const int Count = 12;
        await using var cluster = await TestCluster.StartAsync(2);
        await PutAsync(cluster[1].Store, Count);
        await WaitForDocumentAsync(cluster);
        // In the background, the second node gets half.
        await TestCluster.WaitUntilAsync(async () => await AvailableAsync(cluster[2].Store) == Count / 2 && await AvailableAsync(cluster[1].Store) == Count / 2, "the rights are shared evenly");

        cluster[2].Transport.Cut();
        foreach (int node in (int[])[1, 2])
            await cluster.WaitUntilAliveAsync(node, 1);
        int[] sold = [0, 0];
        for (int node = 1; node <= 2; node++)
        {
            while (await TrySellAsync(cluster[node].Store))
                sold[node - 1]++;
        }
        Assert.Equal([Count / 2, Count / 2], sold);
        var refused = await Assert.ThrowsAsync<CounterBoundException>(() => SellAsync(cluster[2].Store, 1));
        Assert.Equal((0, Count / 2), (refused.AvailableHere, refused.AvailableElsewhere));

        cluster[2].Transport.Heal();
        await cluster.WaitUntilConnectedAsync();
        await WaitUntilValueAsync(cluster, 0);
    }

    [Fact]
    public async Task Restarted_node_sells_on_once_it_has_heard_from_all_members()
    {
        await using var disk = new Datacake.Storage.MemoryStorage();
        var kept = new KeptStorage(disk);
        await using var cluster = await TestCluster.StartAsync(2, node => node == 2 ? kept : new Datacake.Storage.MemoryStorage());
        await PutAsync(cluster[2].Store, 10);
        await WaitForDocumentAsync(cluster);
        await TestCluster.WaitUntilAsync(async () => await AvailableAsync(cluster[1].Store) == 5, "the rights are shared evenly");
        await SellAsync(cluster[2].Store, 2);

        await cluster[2].Node.DisposeAsync();
        await cluster.AddAsync(2, kept);
        await SellAsync(cluster[2].Store, 3);
        await SellAsync(cluster[2].Store, 5);
        await WaitUntilValueAsync(cluster, 0);
    }

    static Task<CommitResult> PutAsync(ReplicatedStore store, long value)
    {
        var transaction = new Transaction();
        transaction.Put(Shop, 1, DocumentContent.Empty, [new CounterIncrement(Stock, value) { Minimum = 0 }]);
        return store.CommitAsync(transaction, Consistency.All, Canceled).AsTask();
    }

    static async Task SellAsync(ReplicatedStore store, long amount, Consistency consistency = Consistency.None)
    {
        var transaction = new Transaction();
        transaction.Update(Shop, 1, DocumentContent.Empty, [new CounterIncrement(Stock, -amount)]);
        await store.CommitAsync(transaction, consistency, Canceled);
    }

    static async Task<bool> TrySellAsync(ReplicatedStore store)
    {
        try
        {
            await SellAsync(store, 1);
            return true;
        }
        catch (CounterBoundException)
        {
            return false;
        }
    }

    static async Task<long> AvailableAsync(ReplicatedStore store) =>
        (await Assert.ThrowsAsync<CounterBoundException>(() => SellAsync(store, 1_000_000))).AvailableHere;

    static Task WaitForDocumentAsync(TestCluster cluster) => TestCluster.WaitUntilAsync(
        async () => (await Task.WhenAll(cluster.Stores.Select(async store => await store.Keyspace(Shop).GetAsync(1, Canceled)))).All(static document => document is not null),
        "all nodes have the document");

    static Task WaitUntilValueAsync(TestCluster cluster, long value) => TestCluster.WaitUntilAsync(
        async () => (await Task.WhenAll(cluster.Stores.Select(async store => await store.Keyspace(Shop).GetAsync(1, Canceled))))
            .All(document => TestCluster.CounterOf(document!, Stock) == value),
        $"all nodes show {value}");
}
