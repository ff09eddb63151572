using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Sqlite;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>The disk of a replaced node with writes that no other node had. The writes are recovered from the files of the disk.</summary>
public sealed class SalvageTests : IDisposable
{
    const string Shop = "shop";

    static readonly byte[] Text = DocumentPath.OfProperty("text").Encoded.ToArray(), Price = DocumentPath.OfProperty("price").Encoded.ToArray();

    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("datacake");

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Writes_that_only_the_old_disk_had_are_restored_on_all_nodes_exactly_once()
    {
        await using var nodes = await StartAsync();
        await CommitAsync(nodes[1], Consistency.All, transaction =>
        {
            for (int key = 1; key <= 5; key++)
                transaction.Put(Shop, key, Content("of all", "1"), [new CounterIncrement("stock", 10)]);
        });
        await CutOffAsync(nodes, 3);
        await CommitAsync(nodes[3], Consistency.None, transaction =>
        {
            transaction.Update(Shop, 1, Content("of the old disk"), [new CounterIncrement("stock", 3)]);
            transaction.Delete(Shop, 2);
            transaction.Update(Shop, 3, Content("too early"));
            transaction.Put(Shop, 6, Content("new", "6"), [new CounterIncrement("stock", 7)]);
            transaction.Put("scraps", 1, Content("new"));
        });
        // Within one tick of the clocks, the counters decide which stamp is later.
        var early = nodes[3].Node.Clock.Last.Time;
        await Eventually.WaitUntilAsync(() => TimeProvider.System.GetUtcNow() > early.AddMilliseconds(10), "the clocks have moved on");
        await CommitAsync(nodes[1], Consistency.None, transaction =>
        {
            transaction.Update(Shop, 1, PriceOf("2"), [new CounterIncrement("stock", 1)]);
            transaction.Update(Shop, 3, Content("later"));
        });
        await ReplaceAsync(nodes);

        await using var files = new SqliteStorage(FileOf("old"));
        var trial = await nodes[1].Store.SalvageAsync(files, cancellationToken: Canceled);
        Assert.Equal(0, trial.Written);
        var expected = new[]
        {
            ("scraps", "1", DocumentOperationKind.Put), (Shop, "1", DocumentOperationKind.Update), (Shop, "2", DocumentOperationKind.Delete),
            (Shop, "6", DocumentOperationKind.Put),
        };
        Assert.Equal(expected, trial.Documents.Select(found => (found.Keyspace, found.Key.ToString(), found.Change)).Order());
        Assert.All(trial.Documents, found => Assert.False(found.MayBeDeleted));
        Assert.Null(await nodes[1].Store.Keyspace(Shop).GetAsync(6, Canceled));

        Assert.Equal(4, (await nodes[1].Store.SalvageAsync(files, SalvageMode.Certain, Canceled)).Written);
        Assert.Empty((await nodes[1].Store.SalvageAsync(files, SalvageMode.All, Canceled)).Documents);
        await CommitAsync(nodes[1], Consistency.All, transaction => transaction.Put(Shop, 9, Content("last")));
        foreach (int id in (int[])[1, 2, 3])
        {
            Assert.Equal("of the old disk, 2, 14", await ShowAsync(nodes[id], 1));
            Assert.Null(await ShowAsync(nodes[id], 2));
            Assert.Equal("later, 1, 10", await ShowAsync(nodes[id], 3));
            Assert.Equal("new, 6, 7", await ShowAsync(nodes[id], 6));
            Assert.Equal(1, (await nodes[id].Store.Keyspace("scraps").GetStatisticsAsync(Canceled)).Count);
        }
        // Nothing is left to salvage on another node either.
        Assert.Empty((await nodes[2].Store.SalvageAsync(files, SalvageMode.All, Canceled)).Documents);
    }

    [Fact]
    public async Task Documents_deleted_since_stay_deleted_unless_the_operator_asks_for_them()
    {
        await using var nodes = await StartAsync();
        // The log of node 3 names the document only as long as another member lacks it, so node 2 must not have it yet.
        await CutOffAsync(nodes, 2);
        await CommitAsync(nodes[1], Consistency.One, transaction => transaction.Put(Shop, 1, Content("deleted later")));
        await CutOffAsync(nodes, 3);
        nodes[2].Transport.Heal();
        await CommitAsync(nodes[1], Consistency.None, transaction => transaction.Delete(Shop, 1));
        await ReplaceAsync(nodes);
        await Eventually.WaitUntilAsync(
            async () => await nodes[1].Store.Keyspace(Shop).ReadMetadataAsync(Canceled).CountAsync(Canceled) == 0, "the tombstone is purged");

        await using var files = new SqliteStorage(FileOf("old"));
        var result = await nodes[1].Store.SalvageAsync(files, SalvageMode.Certain, Canceled);
        Assert.Equal(0, result.Written);
        Assert.Equal((DocumentOperationKind.Put, true), (result.Documents.Single().Change, result.Documents.Single().MayBeDeleted));
        Assert.Equal(1, (await nodes[1].Store.SalvageAsync(files, SalvageMode.All, Canceled)).Written);
        Assert.Equal("deleted later, , 0", await ShowAsync(nodes[1], 1));
    }

    [Fact]
    public async Task Files_of_another_cluster_and_files_without_a_store_are_refused()
    {
        await using var nodes = new ScenarioNodes();
        await using var others = new ScenarioNodes();
        others[1].OpenDisk = () => new SqliteStorage(FileOf("other"));
        await nodes.StartNodeAsync(1);
        await others.StartNodeAsync(1);
        await others[1].PutAsync(1, "x", Consistency.None);
        await others[1].StopAsync();

        await using var other = new SqliteStorage(FileOf("other"));
        var refusal = await Assert.ThrowsAsync<ArgumentException>(async () => await nodes[1].Store.SalvageAsync(other, SalvageMode.All, Canceled));
        Assert.Contains("a store of another cluster", refusal.Message, StringComparison.Ordinal);
        await using var empty = new SqliteStorage(FileOf("empty"));
        refusal = await Assert.ThrowsAsync<ArgumentException>(async () => await nodes[1].Store.SalvageAsync(empty, SalvageMode.All, Canceled));
        Assert.Contains("no store that was ever part of a cluster", refusal.Message, StringComparison.Ordinal);
        Assert.Null(await nodes[1].GetAsync(1));
    }

    async Task<ScenarioNodes> StartAsync()
    {
        var nodes = new ScenarioNodes();
        nodes[3].OpenDisk = () => new SqliteStorage(FileOf("old"));
        foreach (int id in (int[])[1, 2, 3])
            await nodes.StartNodeAsync(id);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        return nodes;
    }

    /// <summary>Cuts a node off from the other nodes in both directions.</summary>
    static async Task CutOffAsync(ScenarioNodes nodes, int nodeId)
    {
        nodes[nodeId].Transport.Cut();
        await Eventually.WaitUntilAsync(
            () => nodes[1].Node.Members.Any(member => member.NodeId == nodeId && !member.IsUp), $"node {nodeId} is missed");
    }

    /// <summary>Restarts node 3 with an empty disk.</summary>
    async Task ReplaceAsync(ScenarioNodes nodes)
    {
        await nodes[3].KillAsync();
        nodes[3].Transport.Heal();
        nodes[3].OpenDisk = () => new SqliteStorage(FileOf("new"));
        await nodes.StartNodeAsync(3, store => store.TakeOverNodeId = true);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
    }

    string FileOf(string name) => Path.Combine(_directory.FullName, name);

    static async Task CommitAsync(ScenarioNode node, Consistency level, Action<Transaction> fill)
    {
        var transaction = new Transaction();
        fill(transaction);
        await node.Store.CommitAsync(transaction, level, Canceled);
    }

    static DocumentContent Content(string text, string? price = null)
    {
        var content = new DocumentContentBuilder();
        content.Set(Text, Encoding.UTF8.GetBytes(text));
        if (price is not null)
            content.Set(Price, Encoding.UTF8.GetBytes(price));
        return content.Build();
    }

    static DocumentContent PriceOf(string price)
    {
        var content = new DocumentContentBuilder();
        content.Set(Price, Encoding.UTF8.GetBytes(price));
        return content.Build();
    }

    /// <summary>Returns the text, the price and the stock of a document as a node shows them.</summary>
    static async Task<string?> ShowAsync(ScenarioNode node, int key)
    {
        if (await node.Store.Keyspace(Shop).GetAsync(key, Canceled) is not { } document)
            return null;
        long stock = 0;
        foreach (var cell in document.Cells)
            stock += cell.Kind == DocumentPathKind.CounterShare && cell.IsShown(document.Born) ? CounterValue.Read(cell.Value) : 0;
        return $"{Of(Text)}, {Of(Price)}, {stock}";

        string Of(byte[] path) => document.TryGetCell(path, out var cell) && cell.IsShown(document.Born) ? Encoding.UTF8.GetString(cell.Value) : "";
    }
}
