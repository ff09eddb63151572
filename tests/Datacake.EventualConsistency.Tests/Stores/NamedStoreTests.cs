using System.Diagnostics.Metrics;
using Datacake.Crdt;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Stores;

public class NamedStoreTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Write_reaches_the_nodes_that_hold_the_store_and_no_other_store()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var first = await OpenAsync(cluster, 1, "catalog");
        var second = await OpenAsync(cluster, 2, "catalog");
        var other = await OpenAsync(cluster, 2, "prices");
        await first.WaitForMembersAsync(2, TestCluster.Deadline, Canceled);
        await other.WaitForMembersAsync(1, TestCluster.Deadline, Canceled);

        await first.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.All, Canceled);

        Assert.Equal("Madeira"u8.ToArray(), (await second.Keyspace("cakes").GetAsync(1, Canceled))!.Value!.Value.ToArray());
        Assert.Null(await other.Keyspace("cakes").GetAsync(1, Canceled));
        foreach (var own in cluster.Stores)
            Assert.Null(await own.Keyspace("cakes").GetAsync(1, Canceled));
        Assert.Equal([1, 2], first.Members.Select(static member => (int)member.NodeId));
        Assert.Equal("catalog", first.Name);
        Assert.Equal(["", "catalog", "prices"], cluster[2].Node.OpenStores.Select(static store => store.Name));
    }

    [Fact]
    public async Task Levels_count_the_nodes_that_hold_the_store()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var first = await OpenAsync(cluster, 1, "catalog");
        await OpenAsync(cluster, 2, "catalog");
        await first.WaitForMembersAsync(2, TestCluster.Deadline, Canceled);
        await cluster[3].Node.DisposeAsync();

        var all = await first.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.All, Canceled);
        var error = await Assert.ThrowsAsync<NotEnoughNodesException>(
            async () => await first.Keyspace("cakes").PutAsync(2, "Angel"u8.ToArray(), Consistency.Two, Canceled));

        Assert.True(all.Acknowledged.Contains(2));
        Assert.Equal([1, 2], error.Members.Select(static member => (int)member.NodeId));
        Assert.Contains("but the members of the store 'catalog' that are up cannot satisfy this", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stores_that_open_on_all_nodes_at_once_form_one_cluster()
    {
        await using var cluster = await TestCluster.StartAsync(4);
        for (int round = 0; round < 5; round++)
        {
            string name = $"tenant/{round}";
            var stores = await Task.WhenAll(Enumerable.Range(1, 3).Select(node => Task.Run(() => OpenAsync(cluster, node, name))));
            foreach (var store in stores)
                await store.WaitForMembersAsync(3, TestCluster.Deadline, Canceled);
        }
    }

    [Fact]
    public async Task Node_that_does_not_hold_a_store_names_those_that_do()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await OpenAsync(cluster, 1, "shop/17");
        await OpenAsync(cluster, 2, "shop/17");
        await TestCluster.WaitUntilAsync(() => cluster[3].Node.HoldersOf("shop/17").Count == 2, "node 3 knows the holders");

        var error = await Assert.ThrowsAsync<StoreNotHeldException>(async () => await cluster[3].Node.OpenStoreAsync("shop/17", Canceled));

        Assert.StartsWith("Node 3 does not hold the store 'shop/17'. It is held by node 1 (", error.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2], error.Holders.Select(static member => (int)member.NodeId));
        Assert.Equal("shop/17", error.Store);
    }

    [Fact]
    public async Task Store_that_was_closed_is_no_longer_held_and_catches_up_when_it_is_opened_again()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var kept = new KeptStorage(new MemoryStorage());
        var first = await OpenAsync(cluster, 1, "catalog");
        await OpenAsync(cluster, 2, "catalog", kept);
        await first.WaitForMembersAsync(2, TestCluster.Deadline, Canceled);

        Assert.True(await cluster[2].Node.CloseStoreAsync("catalog", cancellationToken: Canceled));
        await TestCluster.WaitUntilAsync(() => cluster[1].Node.HoldersOf("catalog").Count == 1 && first.Members.Count(member => member.IsUp) == 1, "node 2 is gone");
        await TestCluster.WaitUntilAsync(
            () => first.MemberStates.Single(static member => member.NodeId == 2).Reason == "according to gossip, it does not hold the store 'catalog' at present", "the state says why");
        await Assert.ThrowsAsync<StoreNotHeldException>(async () => await cluster[2].Node.OpenStoreAsync("catalog", Canceled));
        Assert.False(await cluster[2].Node.CloseStoreAsync("catalog", cancellationToken: Canceled));
        await first.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.None, Canceled);

        var again = await OpenAsync(cluster, 2, "catalog", kept);
        await TestCluster.WaitUntilAsync(async () => await again.Keyspace("cakes").GetAsync(1, Canceled) is not null, "node 2 has caught up");
        await first.WaitForMembersAsync(2, TestCluster.Deadline, Canceled);
    }

    [Fact]
    public async Task Fresh_store_is_not_formed_while_a_node_that_holds_it_is_down()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var first = await OpenAsync(cluster, 1, "catalog");
        await first.Joined.WaitAsync(TestCluster.Deadline, Canceled);
        await TestCluster.WaitUntilAsync(() => cluster[3].Node.HoldersOf("catalog").Count == 1, "node 3 knows the holder");
        await cluster[1].Node.StopAbruptlyAsync();
        await TestCluster.WaitUntilAsync(() => cluster[3].Node.HoldersOf("catalog") is [{ IsUp: false }], "node 3 sees that node 1 is down");

        var third = await OpenAsync(cluster, 3, "catalog");
        await TestCluster.WaitUntilAsync(
            () => third.JoinObstacle?.Reason == "nodes 1, which hold the store 'catalog', are not up", "the store waits for node 1");

        Assert.False(third.JoinStatus.IsJoined);
    }

    [Fact]
    public async Task Node_that_has_not_opened_its_stores_again_still_keeps_others_from_forming_them()
    {
        using var addresses = new ReservedAddresses();
        string[] seeds = addresses.Next(2);
        IStorage own = new KeptStorage(new MemoryStorage()), kept = new KeptStorage(new MemoryStorage());
        await using (var before = await StartAsync(1))
        {
            var tenant = await before.OpenStoreAsync("tenant/17", Canceled);
            await tenant.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.None, Canceled);
        }
        var log = new CollectingLog();
        await using var first = await StartAsync(1, log);
        await using var second = await StartAsync(2);
        var fresh = await second.OpenStoreAsync("tenant/17", Canceled);
        await TestCluster.WaitUntilAsync(
            () => fresh.JoinObstacle?.Reason == "nodes 1, which hold the store 'tenant/17', have not opened it", "node 2 waits for node 1");

        await first.OpenStoresAsync(Canceled);

        await TestCluster.WaitUntilAsync(() => fresh.JoinStatus.IsJoined, "node 2 has joined");
        Assert.NotNull(await fresh.Keyspace("cakes").GetAsync(1, Canceled));
        Assert.Equal(["", "tenant/17"], first.OpenStores.Select(static store => store.Name));

        async Task<DatacakeNode> StartAsync(int id, CollectingLog? log = null)
        {
            var node = await DatacakeNode.StartAsync(
                options =>
                {
                    options.WithNodeId(id).ListenOn(seeds[id - 1]).WithSeeds(seeds[..id]).WithGossip(gossip => gossip.UseLocal()).WithStore(store => store.FormCluster = id == 1);
                    options.UseStorage(() => id == 1 ? own : new MemoryStorage());
                    options.WithStores(name => name == "tenant/17" ? store => store.UseStorage(() => id == 1 ? kept : new MemoryStorage()) : null);
                    if (log is not null)
                        options.WithLoggerFactory(log);
                },
                Canceled);
            await node.OpenStoreAsync(Canceled);
            return node;
        }
    }

    [Fact]
    public async Task Store_that_was_closed_for_good_can_be_formed_by_another_node()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var first = await OpenAsync(cluster, 1, "catalog");
        await first.Joined.WaitAsync(TestCluster.Deadline, Canceled);
        await cluster[1].Node.CloseStoreAsync("catalog", cancellationToken: Canceled);
        var second = await OpenAsync(cluster, 2, "catalog");
        await TestCluster.WaitUntilAsync(() => second.JoinObstacle is not null && second.JoinObstacle.Reason.EndsWith("have not opened it", StringComparison.Ordinal), "node 2 waits");

        Assert.False(await cluster[1].Node.CloseStoreAsync("catalog", isForGood: true, Canceled));

        await second.Joined.WaitAsync(TestCluster.Deadline, Canceled);
    }

    [Fact]
    public async Task Store_is_configured_when_it_is_first_used()
    {
        await using var node = await DatacakeNode.StartAsync(options => options
            .WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory()
            .WithStore("catalog", store => store.UseMemory())
            .WithStores(name => name.StartsWith("tenant/", StringComparison.Ordinal) ? store => store.UseMemory() : null), Canceled);
        await node.OpenStoreAsync(Canceled);

        await node.OpenStoresAsync(Canceled);
        var tenant = await node.OpenStoreAsync("tenant/1", Canceled);

        await tenant.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.All, Canceled);
        Assert.Equal(["", "catalog", "tenant/1"], node.OpenStores.Select(static store => store.Name));
        Assert.Same(tenant, await node.OpenStoreAsync("tenant/1", Canceled));
        await Assert.ThrowsAsync<StoreNotHeldException>(async () => await node.OpenStoreAsync("other/1", Canceled));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await node.OpenStoreAsync("tenant/1", static store => store.UseMemory(), Canceled));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a\nb")]
    public async Task Name_that_no_store_can_have_is_refused(string name)
    {
        await using var node = await DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory(), Canceled);

        await Assert.ThrowsAsync<ArgumentException>(async () => await node.OpenStoreAsync(name, Canceled));
        await Assert.ThrowsAsync<ArgumentException>(async () => await node.OpenStoreAsync(new string('a', 201), Canceled));
    }

    [Fact]
    public async Task Store_without_a_storage_is_refused_and_can_be_opened_afterward()
    {
        await using var node = await DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory(), Canceled);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await node.OpenStoreAsync("catalog", static _ => { }, Canceled));
        var store = await node.OpenStoreAsync("catalog", static options => options.UseMemory(), Canceled);

        Assert.StartsWith("The store 'catalog' of node 1 has no storage.", error.Message, StringComparison.Ordinal);
        await store.Joined.WaitAsync(TestCluster.Deadline, Canceled);
    }

    [Fact]
    public async Task Measurements_name_the_store()
    {
        var stores = new HashSet<string?>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Name == "datacake.store.peers")
                listener.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((_, _, tags, _) =>
        {
            var all = tags.ToArray().ToDictionary();
            if (all["node"] is "211")
                stores.Add((string?)all.GetValueOrDefault("store"));
        });
        listener.Start();
        await using var node = await DatacakeNode.StartAsync(options => options.WithNodeId(211).ListenOn("127.0.0.1:0").UseMemory().WithStore("catalog", store => store.UseMemory()), Canceled);
        await node.OpenStoreAsync(Canceled);
        await node.OpenStoresAsync(Canceled);

        listener.RecordObservableInstruments();

        Assert.Equal([null, "catalog"], stores.Order());
    }

    [Fact]
    public async Task Store_at_rest_wakes_when_something_is_written()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var first = await OpenAsync(cluster, 1, "catalog");
        var second = await OpenAsync(cluster, 2, "catalog");
        await first.WaitForMembersAsync(2, TestCluster.Deadline, Canceled);
        await first.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.All, Canceled);
        await TestCluster.WaitUntilAsync(() => first.IsResting && second.IsResting, "both stores rest");

        await second.Keyspace("cakes").PutAsync(2, "Angel"u8.ToArray(), Consistency.All, Canceled);

        Assert.NotNull(await first.Keyspace("cakes").GetAsync(2, Canceled));
        await TestCluster.WaitUntilAsync(() => !first.IsResting && !second.IsResting, "both stores are awake");
        await TestCluster.WaitUntilAsync(() => first.IsResting && second.IsResting, "both stores rest again");
        Assert.All(cluster.Stores, static store => Assert.False(store.IsResting));
    }

    [Fact]
    public async Task Serial_transactions_work_in_a_named_store_after_a_rest()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var stores = new List<ReplicatedStore>();
        foreach (int node in new[] { 1, 2, 3 })
            stores.Add(await OpenAsync(cluster, node, "catalog"));
        await stores[0].WaitForMembersAsync(3, TestCluster.Deadline, Canceled);
        await stores[2].Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.None, Canceled);
        var put = new Transaction();
        put.Put("numbers", DocumentKey.Of(1), DocumentContent.OfRaw("one"u8));
        await stores[1].CommitAsync(put, Consistency.Serial, Canceled);

        await TestCluster.WaitUntilAsync(() => stores.TrueForAll(static store => store.IsResting), "all stores rest");
        foreach (var store in stores)
        {
            var again = new Transaction();
            again.Put("numbers", DocumentKey.Of(1), DocumentContent.OfRaw("two"u8));
            await store.CommitAsync(again, Consistency.Serial, Canceled);
        }
    }

    static async Task<ReplicatedStore> OpenAsync(TestCluster cluster, int node, string name, IStorage? storage = null) => await cluster[node].Node.OpenStoreAsync(
        name,
        options =>
        {
            options.UseStorage(() => storage ?? new MemoryStorage());
            options.Settings.ReportInterval = TimeSpan.FromMilliseconds(50);
            options.Settings.AcknowledgmentTimeout = TestCluster.Deadline;
        },
        Canceled);
}
