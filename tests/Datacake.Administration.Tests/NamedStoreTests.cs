using System.Text;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Rpc;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Administration.Tests;

/// <summary>The administration of the named stores of a node.</summary>
public sealed class NamedStoreTests : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("datacake-named-").FullName;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Documents_of_a_named_store_are_apart_from_those_of_the_own_store()
    {
        await using var cluster = await StartAsync(2);
        var own = cluster.ClientOf(1);
        var catalog = cluster.ClientOf(1, store: "catalog");

        await own.PutAsync("Cakes", Fixture.Json("1"), Fixture.Json("""{"Name":"Own"}"""), Canceled);
        await catalog.PutAsync("Cakes", Fixture.Json("1"), Fixture.Json("""{"Name":"Catalog"}"""), Canceled);
        await catalog.PutAsync("Cakes", Fixture.Json("2"), Fixture.Json("""{"Name":"Angel"}"""), Canceled);

        Assert.Equal("Own", (await own.GetDocumentAsync("Cakes", Fixture.Json("1"), cancellationToken: Canceled))!.Document!.Value.GetProperty("Name").GetString());
        Assert.Equal("Catalog", (await catalog.GetDocumentAsync("Cakes", Fixture.Json("1"), cancellationToken: Canceled))!.Document!.Value.GetProperty("Name").GetString());
        Assert.Equal(2, Assert.Single(await catalog.ListKeyspacesAsync(Canceled)).Documents);
        var exported = new StringBuilder();
        await foreach (var block in catalog.ExportAsync("Cakes", cancellationToken: Canceled))
            exported.Append(Encoding.UTF8.GetString(block.Span));
        Assert.Equal(2, exported.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.True((await catalog.VerifyAsync(Canceled)).IsSound);
        Assert.Equal(2, (await catalog.DropKeyspaceAsync("Cakes", Canceled)).Count);
        Assert.Equal(1, Assert.Single(await own.ListKeyspacesAsync(Canceled)).Documents);
    }

    [Fact]
    public async Task Store_that_is_not_open_is_refused_with_the_names_of_those_that_are_and_its_holders()
    {
        await using var cluster = await StartAsync(2);
        await cluster[2].OpenStoreAsync("shop/2", static store => store.UseMemory(), Canceled);
        await Eventually.WaitUntilAsync(() => cluster[1].HoldersOf("shop/2").Count == 1, "node 1 knows the holder");

        var unknown = await Assert.ThrowsAsync<AdministrationException>(() => cluster.ClientOf(1, store: "catalgo").GetStatusAsync(Canceled));
        var elsewhere = await Assert.ThrowsAsync<AdministrationException>(() => cluster.ClientOf(1, store: "shop/2").RetireAsync(2, Canceled));

        Assert.EndsWith("Node 1 has no open store 'catalgo'. Its open named stores are 'catalog'. Correct the name, or leave it out for the node's own store.", unknown.Message, StringComparison.Ordinal);
        Assert.Contains("Node 1 has no open store 'shop/2'. Its open named stores are 'catalog'. The store 'shop/2' is held by node 2", elsewhere.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Empty_name_of_a_store_is_refused_and_results_and_the_log_name_the_store()
    {
        await using var cluster = await StartAsync(1);
        var catalog = cluster.ClientOf(1, store: "catalog");
        string recipe = new('x', 1_000);

        var empty = Assert.Throws<ArgumentException>(() => cluster.ClientOf(1, store: ""));
        var request = await Assert.ThrowsAsync<RpcException>(async () => (await cluster[1].ChannelTo(cluster[1].Address)
            .CallAsync(AdministrationService.ServiceName, AdministrationService.Keyspaces, """{"store":""}"""u8.ToArray(), cancellationToken: Canceled)).Dispose());
        var named = await catalog.PutAsync("Cakes", Fixture.Json("1"), Fixture.Json($$"""{"Recipe":"{{recipe}}"}"""), Canceled);
        var own = await cluster.ClientOf(1).DeleteAsync("Cakes", Fixture.Json("1"), Canceled);

        Assert.Contains("The name of the store is empty.", empty.Message, StringComparison.Ordinal);
        Assert.Contains("The name of the store is empty.", request.Message, StringComparison.Ordinal);
        Assert.Equal(("catalog", ""), (named.Store, own.Store));
        // The arguments in the log are cut.
        Assert.Contains(await cluster.ClientOf(1).ReadLogAsync(cancellationToken: Canceled), static line => line.Message.Contains("called put ({\"store\":\"catalog\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Node_that_knows_no_named_stores_is_asked_for_nothing_else()
    {
        await using var cluster = await StartAsync(1);
        cluster[1].Server.RemoveService(AdministrationService.ServiceName);
        cluster[1].Server.AddService(new OlderService());
        var catalog = cluster.ClientOf(1, store: "catalog");

        var dropped = await Assert.ThrowsAsync<AdministrationException>(() => catalog.DropKeyspaceAsync("Cakes", Canceled));
        var listed = await Assert.ThrowsAsync<AdministrationException>(() => catalog.ListKeyspacesAsync(Canceled));
        var exported = await Assert.ThrowsAsync<AdministrationException>(async () => await catalog.ExportAsync("Cakes", cancellationToken: Canceled).FirstOrDefaultAsync(Canceled));

        Assert.EndsWith("runs version 0.9, which knows no named stores: it would use its own store in place of 'catalog'. Nothing was done. Update the node.", dropped.Message, StringComparison.Ordinal);
        Assert.Equal((dropped.Message, dropped.Message), (listed.Message, exported.Message));
        Assert.Equal("", (await cluster.ClientOf(1).GetStatusAsync(Canceled)).Store);
    }

    [Fact]
    public async Task Status_lists_the_stores_with_their_members_followers_and_obstacles()
    {
        await using var cluster = await StartAsync(2);
        await cluster[1].OpenStoreAsync("waiting", static store =>
        {
            store.UseMemory();
            store.Settings.ExpectedNodes = 5;
        }, Canceled);
        await cluster[2].OpenStoreAsync("prices", static store => store.UseMemory(), Canceled);
        await Eventually.WaitUntilAsync(() => cluster[1].HoldersOf("prices").Count == 1, "node 1 knows the holder");
        var prices = await cluster[1].OpenStoreAsync("prices", static store => store.UseMemory().AsFollower(), Canceled);
        await prices.Joined.WaitAsync(Eventually.Deadline, Canceled);
        await cluster.ClientOf(1, store: "catalog").PutAsync("Cakes", Fixture.Json("1"), Fixture.Json("""{"Name":"Angel"}"""), Canceled);

        StoreStatus[] first = [], second = [];
        await Eventually.WaitUntilAsync(
            async () =>
            {
                first = [.. (await cluster.ClientOf(1).GetStatusAsync(listStores: true, Canceled)).Stores!];
                second = [.. (await cluster.ClientOf(2).GetStatusAsync(listStores: true, Canceled)).Stores!];
                return first[3].Obstacle is not null && first[2].Follows?.BehindSeconds is not null && second[2].FollowerCount == 1;
            },
            "the status is complete");

        Assert.Equal(["", "catalog", "prices", "waiting"], first.Select(static store => store.Name));
        Assert.Equal([1, 2], first[1].Members);
        Assert.Equal((true, 1, 1L, "SqliteStorage"), (first[1].HasJoined, first[1].Keyspaces, first[1].Documents, first[1].Storage));
        Assert.True(first[1].StorageBytes > 0);
        Assert.Equal((true, 2, cluster[2].Address), (first[2].Follows!.IsConnected, first[2].Follows!.NodeId, first[2].Follows!.Address));
        Assert.InRange(first[2].Follows!.BehindSeconds!.Value, 0, Eventually.Deadline.TotalSeconds);
        Assert.Contains("Stores:waiting:ExpectedNodes", first[3].Obstacle, StringComparison.Ordinal);
        Assert.False(first[3].HasJoined);
        Assert.StartsWith("127.0.0.1", Assert.Single(second[2].Followers), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Store_that_is_broken_or_closing_hides_no_other()
    {
        await using var cluster = await StartAsync(1);
        var storage = new SqliteStorage(Path.Combine(_folder, "broken.db"));
        await (await cluster[1].OpenStoreAsync("broken", store => store.UseStorage(() => storage), Canceled)).WaitForMembersAsync(1, Eventually.Deadline, Canceled);
        await cluster.ClientOf(1, store: "catalog").BackUpAsync(_folder, verify: false, keep: 1, Canceled);
        await using var backup = await SqliteStorage.OpenBackupAsync(Assert.Single(Directory.GetFiles(_folder, "*.backup")), Canceled);
        var summary = await Inspection.StoreInspection.ReadAsync(backup, Canceled);

        // What a close of the store does, before the node has it no longer.
        await cluster[1].OpenStores.Single(static store => store.Name == "broken").DisposeAsync();
        await storage.DisposeAsync();
        var client = cluster.ClientOf(1);
        var stores = (await client.GetStatusAsync(listStores: true, Canceled)).Stores!;
        var check = await client.CheckBackupAsync(1, summary.StoreId, summary.ClusterId, Canceled);
        var unknown = await client.CheckBackupAsync(1, summary.StoreId, "0123456789abcdef", Canceled);

        Assert.Equal([("", null), ("broken", "The store is closing."), ("catalog", null)], stores.Select(static store => (store.Name, store.Failure)));
        Assert.True(stores[2].StorageBytes > 0);
        Assert.Null(check.Problem);
        Assert.EndsWith("has this identity. The store 'broken' cannot be asked: The store is closing.", unknown.Problem, StringComparison.Ordinal);
        Assert.Null((await client.GetStatusAsync(Canceled)).Stores);
    }

    [Fact]
    public async Task Status_of_a_named_store_has_its_members_and_documents()
    {
        await using var cluster = await StartAsync(3, held: 2);
        var catalog = cluster.ClientOf(1, store: "catalog");
        await catalog.PutAsync("Cakes", Fixture.Json("1"), Fixture.Json("""{"Name":"Angel"}"""), Canceled);

        var status = await catalog.GetStatusAsync(Canceled);
        await catalog.RetireAsync(2, isRunning: true, Canceled);
        await Eventually.WaitUntilAsync(async () => (await catalog.GetStatusAsync(Canceled)).Members.Count(static member => member.HasJoined) == 1, "node 2 is retired");
        var own = await cluster.ClientOf(1).GetStatusAsync(Canceled);

        Assert.Equal(("catalog", 1L), (status.Store, status.Documents));
        Assert.Equal([1, 2], status.Members.Select(static member => member.NodeId).Order());
        Assert.Equal(("", 0L), (own.Store, own.Documents));
        Assert.Equal(3, own.Members.Count(static member => member.HasJoined));
    }

    [Fact]
    public async Task Named_store_is_backed_up_checked_and_compacted()
    {
        await using var cluster = await StartAsync(2);
        var catalog = cluster.ClientOf(1, store: "catalog");
        await catalog.PutAsync("Cakes", Fixture.Json("1"), Fixture.Json("""{"Name":"Angel"}"""), Canceled);

        var result = await catalog.BackUpAsync(_folder, verify: true, keep: 2, Canceled);
        var compacted = await catalog.CompactAsync(Canceled);

        Assert.StartsWith("The store 'catalog' of node 1 was copied to", result.Message, StringComparison.Ordinal);
        Assert.StartsWith("The store 'catalog' of node 1 had", compacted.Message, StringComparison.Ordinal);
        string file = Assert.Single(Directory.GetFiles(_folder, "*.backup"));
        Assert.Contains("_node1-catalog_datacake_", file, StringComparison.Ordinal);
        await using var backup = await SqliteStorage.OpenBackupAsync(file, Canceled);
        var store = await Inspection.StoreInspection.ReadAsync(backup, Canceled);
        // The identity in the backup says of which store it is.
        Assert.Null((await cluster.ClientOf(2).CheckBackupAsync(1, store.StoreId, store.ClusterId, Canceled)).Problem);
        await cluster.ClientOf(2, store: "catalog").RetireAsync(1, isRunning: true, Canceled);
        await Eventually.WaitUntilAsync(async () => (await cluster.ClientOf(2).CheckBackupAsync(1, store.StoreId, store.ClusterId, Canceled)).Problem is not null, "the backup is of a retired store");
    }

    [Fact]
    public async Task Scheduled_backups_cover_the_stores_on_disk_that_are_open()
    {
        await using var cluster = await StartAsync(1, configure: options => options.UseMemory().WithBackups(backups =>
        {
            backups.Folder = _folder;
            backups.Interval = TimeSpan.FromHours(1);
        }));

        await Eventually.WaitUntilAsync(() => Directory.GetFiles(_folder, "*.backup").Length == 1, "the named store is backed up");

        Assert.Contains("_node1-catalog_", Assert.Single(Directory.GetFiles(_folder, "*.backup")), StringComparison.Ordinal);
        await Eventually.WaitUntilAsync(async () => (await cluster.ClientOf(1).GetStatusAsync(listStores: true, Canceled)).Stores![1].Backups?.LastAt is not null, "the status has the backup");
        var status = await cluster.ClientOf(1).GetStatusAsync(listStores: true, Canceled);
        Assert.Null(status.Backups);
        Assert.Null(status.Stores![0].Backups);
    }

    /// <summary>The administration of a node that ignores the name of a store, and fails if it is asked for more than its status.</summary>
    sealed class OlderService : RpcService
    {
        public override string Name => AdministrationService.ServiceName;

        protected override void Register(RpcHandlers handlers) => handlers.HandleBytes(AdministrationService.Status, static (_, _) => ValueTask.FromResult<ReadOnlyMemory<byte>>(
            """{"nodeId":1,"address":"","dataCenter":"","clusterId":"","version":"0.9","storage":"","members":[],"findings":[]}"""u8.ToArray()));
    }

    /// <summary>Starts nodes of which the first ones hold the store "catalog", on disk.</summary>
    async Task<Fixture> StartAsync(int count, int? held = null, Action<DatacakeNodeOptions>? configure = null)
    {
        var cluster = await Fixture.StartAsync(count, options => (configure ?? (static node => node.UseMemory()))(options
            .WithStores(name => name == "catalog" ? store => store.UseSqlite(Path.Combine(_folder, $"{Guid.NewGuid():n}.db")) : null)));
        for (int id = 1; id <= (held ?? count); id++)
            await cluster[id].OpenStoreAsync("catalog", Canceled);
        for (int id = 1; id <= (held ?? count); id++)
            await (await cluster[id].OpenStoreAsync("catalog", Canceled)).WaitForMembersAsync(held ?? count, Eventually.Deadline, Canceled);
        return cluster;
    }
}
