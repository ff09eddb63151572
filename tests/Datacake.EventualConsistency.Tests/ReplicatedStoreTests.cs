using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Rpc;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests;

public sealed class ReplicatedStoreTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_single_node_puts_reads_and_deletes()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var cakes = cluster[1].Store.Keyspace("cakes");

        await cakes.PutAsync(1, "Hello, world!"u8.ToArray(), Consistency.All, Canceled);
        Assert.Equal("Hello, world!", Text(await cakes.GetAsync(1, Canceled)));
        Assert.Equal(1, (await cakes.GetStatisticsAsync(Canceled)).Count);

        await cakes.DeleteAsync(1, Consistency.All, Canceled);
        Assert.Null(await cakes.GetAsync(1, Canceled));
        Assert.Equal(new KeyspaceStatistics("cakes", 0, 0), await cakes.GetStatisticsAsync(Canceled));
    }

    [Fact]
    public async Task Keys_and_stamps_of_deleted_documents_are_readable_until_all_members_know_the_delete()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        cluster[2].Transport.Cut();
        var cakes = cluster[1].Store.Keyspace("cakes");
        await cakes.PutManyAsync([new(1, "one"u8.ToArray()), new(2, "two"u8.ToArray())], Consistency.None, Canceled);
        var deleted = await cakes.DeleteAsync(1, Consistency.None, Canceled);
        var put = await cakes.PutAsync(3, "three"u8.ToArray(), Consistency.None, Canceled);

        var metadata = await cakes.ReadMetadataAsync(Canceled).ToListAsync(Canceled);
        Assert.Equal([(DocumentKey)1, 2, 3], metadata.Select(document => document.Key));
        Assert.Equal([true, false, false], metadata.Select(document => document.IsDeleted));
        Assert.Equal((deleted.Stamp, put.Stamp), (metadata[0].Stamp, metadata[2].Stamp));

        cluster[2].Transport.Heal();
        await TestCluster.WaitUntilAsync(
            async () => await cakes.ReadMetadataAsync(Canceled).CountAsync(Canceled) == 2, "what is left of the deleted document is forgotten");
        Assert.Empty(await cluster[1].Store.Keyspace("breads").ReadMetadataAsync(Canceled).ToListAsync(Canceled));
    }

    [Fact]
    public async Task Put_at_level_All_is_on_every_node_when_the_call_returns()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        for (int i = 0; i < 100; i++)
            await cluster[1 + (i % 3)].Store.Keyspace("cakes").PutAsync(i, BitConverter.GetBytes(i), Consistency.All, Canceled);
        foreach (var store in cluster.Stores)
        {
            var all = await store.Keyspace("cakes").ReadAllAsync(Canceled).ToListAsync(Canceled);
            Assert.Equal(Enumerable.Range(0, 100), all.Select(cake => BitConverter.ToInt32(cake.Document.Value!.Value.Span)));
        }
        Assert.Equal(100, (await cluster.WaitUntilEqualAsync("cakes")).Count);
    }

    [Fact]
    public async Task Many_concurrent_writers_all_receive_their_acknowledgments()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        Consistency[] levels = [.. Enum.GetValues<Consistency>().Where(level => level != Consistency.Three)];     // Only two other nodes exist.
        await Task.WhenAll(Enumerable.Range(0, 60).Select(async writer =>
        {
            var cakes = cluster[1 + (writer % 3)].Store.Keyspace("cakes");
            for (int i = 0; i < 20; i++)
                await cakes.PutAsync((writer * 100) + i, "cake"u8.ToArray(), levels[writer % levels.Length], Canceled);
        }));
        await cluster.WaitUntilEqualAsync("cakes", count: 1_200);
    }

    [Fact]
    public async Task Node_that_is_cut_off_refuses_Quorum_accepts_None_and_merges_when_it_is_back()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var (one, three) = (cluster[1].Store, cluster[3].Store);
        await Commit(one, Consistency.All, transaction => transaction.Put("shop", 1, Content(("Name", "Cake"), ("Price", "12")), [new("Stock", 10)]));
        await Commit(one, Consistency.All, transaction => transaction.Put("shop", 2, Content(("Name", "Pie"))));

        cluster[3].Transport.Cut();
        await cluster.WaitUntilAliveAsync(1, 2);
        await cluster.WaitUntilAliveAsync(3, 1);

        await Commit(one, Consistency.Quorum, transaction => transaction.Update("shop", 1, Content(("Price", "13")), [new("Stock", -1)]));
        await Commit(one, Consistency.Quorum, transaction => transaction.Delete("shop", 2));
        var refused = await Assert.ThrowsAsync<NotEnoughNodesException>(
            () => Commit(three, Consistency.Quorum, transaction => transaction.Update("shop", 1, Content(("Name", "Gateau")))));
        Assert.Contains("Quorum", refused.Message, StringComparison.Ordinal);
        await Commit(three, Consistency.None, transaction => transaction.Update("shop", 1, Content(("Name", "Gateau")), [new("Stock", -3)]));

        cluster[3].Transport.Heal();
        await cluster.WaitUntilConnectedAsync();
        await cluster.WaitUntilEqualAsync("shop", count: 1);
        foreach (var store in cluster.Stores)
        {
            using var snapshot = await store.OpenSnapshotAsync(Canceled);
            var cake = (await snapshot.GetAsync("shop", 1, Canceled))!;
            Assert.Equal("Gateau", Property(cake, "Name"));
            Assert.Equal("13", Property(cake, "Price"));
            Assert.Equal(6, TestCluster.CounterOf(cake, "Stock"));
            Assert.Null(await snapshot.GetAsync("shop", 2, Canceled));
        }
    }

    [Fact]
    public async Task Node_stopped_without_warning_catches_up_from_its_file()
    {
        string folder = Directory.CreateTempSubdirectory("datacake").FullName;
        try
        {
            var files = new Dictionary<int, SqliteStorage>();
            SqliteStorage Open(int node) => files[node] = new SqliteStorage(Path.Combine(folder, $"node{node}.db"));
            await using (var cluster = await TestCluster.StartAsync(3, Open))
            {
                var one = cluster[1].Store.Keyspace("cakes");
                for (int i = 0; i < 50; i++)
                    await one.PutAsync(i, "first"u8.ToArray(), Consistency.All, Canceled);

                await cluster[2].Node.StopAbruptlyAsync();
                await files[2].DisposeAsync();
                await cluster.WaitUntilAliveAsync(1, 2);
                for (int i = 40; i < 60; i++)
                    await one.PutAsync(i, "second"u8.ToArray(), Consistency.Quorum, Canceled);
                await one.DeleteAsync(0, Consistency.Quorum, Canceled);

                await cluster.AddAsync(2, Open(2));
                await cluster.WaitUntilConnectedAsync();
                await cluster.WaitUntilEqualAsync("cakes", count: 59);
                var two = cluster[2].Store.Keyspace("cakes");
                await two.PutAsync(100, "third"u8.ToArray(), Consistency.All, Canceled);
                Assert.Equal("second", Text(await two.GetAsync(45, Canceled)));
            }
            foreach (var file in files.Values)
                await file.DisposeAsync();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Node_that_returns_with_an_empty_disk_fetches_everything_from_its_peers()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await cluster[3].Store.Keyspace("cakes").PutAsync(1, "mine"u8.ToArray(), Consistency.All, Canceled);
        await cluster[3].Node.StopAbruptlyAsync();
        await cluster.WaitUntilAliveAsync(1, 2);

        await cluster.AddAsync(3);
        await cluster.WaitUntilConnectedAsync();
        await cluster[3].Store.Keyspace("cakes").PutAsync(2, "again"u8.ToArray(), Consistency.All, Canceled);
        await cluster.WaitUntilEqualAsync("cakes", count: 2);
    }

    [Fact]
    public async Task Late_node_fetches_all_earlier_data()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var documents = Enumerable.Range(0, 5_000).Select(i => KeyValuePair.Create((DocumentKey)i, (ReadOnlyMemory<byte>)new byte[100]));
        await cluster[1].Store.Keyspace("cakes").PutManyAsync(documents, Consistency.None, Canceled);

        await cluster.AddAsync(2);
        await cluster.WaitUntilConnectedAsync();
        await cluster.WaitUntilEqualAsync("cakes", count: 5_000);
    }

    [Fact]
    public async Task Deleted_documents_and_log_records_are_removed_once_all_nodes_have_seen_them()
    {
        var stores = Enumerable.Range(1, 3).ToDictionary(node => node, _ => new MemoryStorage());
        await using var cluster = await TestCluster.StartAsync(3, node => stores[node]);
        var cakes = cluster[1].Store.Keyspace("cakes");
        for (int i = 0; i < 200; i++)
            await cakes.PutAsync(i, "cake"u8.ToArray(), Consistency.One, Canceled);
        await cakes.DeleteManyAsync(Enumerable.Range(0, 199).Select(i => (DocumentKey)i), Consistency.One, Canceled);

        foreach (var store in stores.Values)
        {
            await TestCluster.WaitUntilAsync(
                async () => await CountAsync(store, StoreLayout.AllDocuments) == 1 && await CountAsync(store, StoreLayout.AllLog) == 0,
                "one document and no log are left");
        }
    }

    [Fact]
    public async Task Index_covers_writes_of_other_nodes_and_earlier_data()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var byName = new DocumentIndex("Name", "1", (document, values) =>
        {
            if (Property(document, "Name") is { } name)
            {
                values.Writer.Write(name);
                values.Add();
            }
        });
        var declaration = new KeyspaceDeclaration("shop", MergePolicy.LastWriterWins, [byName]);
        await cluster[2].Store.DeclareAsync(declaration, Canceled);
        foreach (var (key, name) in new[] { (1, "pie"), (2, "cake"), (3, "bread"), (4, "cake") })
            await Commit(cluster[1].Store, Consistency.All, transaction => transaction.Put("shop", key, Content(("Name", name))));
        await Commit(cluster[1].Store, Consistency.All, transaction => transaction.Update("shop", 1, Content(("Name", "apple pie"))));
        await Commit(cluster[1].Store, Consistency.All, transaction => transaction.Delete("shop", 3));
        await cluster[1].Store.DeclareAsync(declaration, Canceled);

        foreach (var store in cluster.Stores)
        {
            using var snapshot = await store.OpenSnapshotAsync(Canceled);
            var entries = await snapshot.ReadIndexAsync("shop", "Name", KeyRange.All);
            Assert.Equal(["1", "2", "4"], entries.Select(key => key.ToString()));
            var prefix = new OrderedKeyWriter();
            prefix.Write("cake");
            entries = await snapshot.ReadIndexAsync("shop", "Name", KeyRange.WithPrefix(prefix.ToArray()), ScanDirection.Reverse);
            Assert.Equal(["4", "2"], entries.Select(key => key.ToString()));
        }
    }

    [Fact]
    public async Task Update_of_a_missing_document_is_refused_by_name_and_writes_nothing()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var refused = await Assert.ThrowsAsync<DocumentNotFoundException>(() => Commit(cluster[1].Store, Consistency.None, transaction =>
        {
            transaction.Put("shop", 1, Content(("Name", "Cake")));
            transaction.Update("shop", "missing", Content(("Name", "Pie")));
        }));
        Assert.Contains("'missing'", refused.Message, StringComparison.Ordinal);
        Assert.Null(await cluster[1].Store.Keyspace("shop").GetAsync(1, Canceled));
    }

    [Fact]
    public async Task Session_token_makes_another_node_wait_for_the_write()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        cluster[2].Transport.Cut();
        await cluster.WaitUntilAliveAsync(1, 1);
        var written = await cluster[1].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.None, Canceled);
        Assert.True(SessionToken.TryParse(written.Token.ToString(), out var token));
        var waiting = cluster[2].Store.WaitForAsync(token, Canceled).AsTask();
        Assert.False(waiting.IsCompleted);
        cluster[2].Transport.Heal();
        await waiting.WaitAsync(TestCluster.Deadline, Canceled);
        Assert.Equal("cake", Text(await cluster[2].Store.Keyspace("cakes").GetAsync(1, Canceled)));
    }

    [Fact]
    public async Task Commit_whose_wait_is_canceled_is_kept_and_reported_as_kept()
    {
        var gated = new GatedStorage();
        await using var cluster = await TestCluster.StartAsync(2, node => node == 2 ? gated : new MemoryStorage());
        gated.Close();
        using var impatience = new CancellationTokenSource();
        var cakes = cluster[1].Store.Keyspace("cakes");
        var waiting = cakes.PutAsync(1, "cake"u8.ToArray(), Consistency.All, impatience.Token).AsTask();
        await TestCluster.WaitUntilAsync(async () => await cakes.GetAsync(1, Canceled) is not null, "it is committed locally");
        await impatience.CancelAsync();
        var canceled = await Assert.ThrowsAsync<CommitCanceledException>(() => waiting);
        gated.Open();
        await cluster[2].Store.WaitForAsync(new SessionToken(canceled.Stamp), Canceled);
        await cluster.WaitUntilEqualAsync("cakes", count: 1);
    }

    [Fact]
    public async Task Concurrent_calls_that_open_the_store_of_a_node_get_the_same_store()
    {
        await using var node = await DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory(), Canceled);
        var stores = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => node.OpenStoreAsync(Canceled).AsTask())));
        Assert.Single(stores.Distinct());
    }

    [Fact]
    public async Task Fresh_node_without_reachable_seeds_fails_instead_of_waiting_forever()
    {
        await using var node = await DatacakeNode.StartAsync(
            options => options.WithNodeId(2).ListenOn("127.0.0.1:0").WithSeeds("127.0.0.1:1").WithGossip(gossip => gossip.UseLocal()), Canceled);
        var store = await node.AddExtensionAsync(
            new ReplicatedStoreExtension(new MemoryStorage(), new ReplicatedStoreOptions { JoinTimeout = TimeSpan.FromMilliseconds(200) }), Canceled);
        var failure = await Assert.ThrowsAsync<TimeoutException>(
            async () => await store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.None, Canceled));
        Assert.Contains("127.0.0.1:1", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Three_fresh_nodes_with_each_other_as_seeds_form_one_cluster()
    {
        using var reserved = new ReservedAddresses();
        string[] addresses = reserved.Next(3);
        var nodes = new List<DatacakeNode>();
        try
        {
            var stores = new List<ReplicatedStore>();
            for (int i = 0; i < 3; i++)
            {
                int self = i;
                nodes.Add(await DatacakeNode.StartAsync(
                    options => options.WithNodeId(self + 1).ListenOn(addresses[self])
                        .WithSeeds(addresses.Where(address => address != addresses[self])).WithGossip(gossip => gossip.UseLocal()),
                    Canceled));
                stores.Add(await nodes[i].AddExtensionAsync(new ReplicatedStoreExtension(new MemoryStorage()), Canceled));
            }
            foreach (var store in stores)
                await store.Joined.WaitAsync(TestCluster.Deadline, Canceled);
            await TestCluster.WaitUntilAsync(() => stores.TrueForAll(store => store.Members.Count(member => member.IsUp) == 3), "all are connected");
            await stores[2].Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.All, Canceled);
            Assert.Equal("cake", Text(await stores[0].Keyspace("cakes").GetAsync(1, Canceled)));
        }
        finally
        {
            foreach (var node in nodes)
                await node.DisposeAsync();
        }
    }

    static async Task<CommitResult> Commit(ReplicatedStore store, Consistency level, Action<Transaction> fill)
    {
        var transaction = new Transaction();
        fill(transaction);
        return await store.CommitAsync(transaction, level, Canceled);
    }

    static async Task<int> CountAsync(MemoryStorage storage, KeyRange range)
    {
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);
        return await snapshot.ReadAllAsync(range, Canceled).CountAsync(Canceled);
    }

    static DocumentContent Content(params (string Property, string Value)[] cells)
    {
        var builder = new DocumentContentBuilder();
        foreach (var (property, value) in cells)
            builder.Set(DocumentPath.OfProperty(property).Encoded.Span, Encoding.UTF8.GetBytes(value));
        return builder.Build();
    }

    static string? Property(Document document, string property) =>
        document.TryGetCell(DocumentPath.OfProperty(property).Encoded.Span, out var cell) && !cell.IsRemoved ? Encoding.UTF8.GetString(cell.Value) : null;

    [Fact]
    public async Task Fresh_nodes_with_the_same_list_of_seeds_form_one_cluster()
    {
        string[] seeds = ["127.0.0.1:7001", "127.0.0.1:7002", "127.0.0.1:7003"];
        var network = new InMemoryTransport();
        var nodes = new List<DatacakeNode>();
        try
        {
            for (int i = 0; i < seeds.Length; i++)
            {
                nodes.Add(await DatacakeNode.StartAsync(settings => settings
                    .WithNodeId(i + 1).ListenOn(seeds[i]).WithSeeds(seeds).WithTransport(network).WithGossip(gossip => gossip.UseLocal()).UseMemory(), Canceled));
            }
            // All nodes talk before any has joined, so that they also hear of each other's fresh stores through a third node.
            var stores = await Task.WhenAll(nodes.Select(async node => await node.OpenStoreAsync(Canceled)));
            await Task.WhenAll(stores.Select(store => store.Joined.WaitAsync(TestCluster.Deadline, Canceled)));
            await TestCluster.WaitUntilAsync(() => stores.All(store => store.Members.Count(member => member.IsUp) == seeds.Length), "all are connected");
            await stores[2].Keyspace("cakes").PutAsync(1, "Hello, world!"u8.ToArray(), Consistency.All, Canceled);
            Assert.Equal("Hello, world!", Text(await stores[0].Keyspace("cakes").GetAsync(1, Canceled)));
        }
        finally
        {
            foreach (var node in nodes)
                await node.DisposeAsync();
        }
    }

    static string? Text(Document? document) => document?.Value is { } value ? Encoding.UTF8.GetString(value.Span) : null;
}
