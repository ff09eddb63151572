using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;
using Datacake.Tool.Terminal;

namespace Datacake.Tool.Tests;

/// <summary>The tool with the named stores of nodes on loopback.</summary>
public class NamedStoreTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Commands_with_a_store_work_on_that_store_alone()
    {
        await using var fixture = await StartAsync();
        string exported = fixture.PathOf("cakes.jsonl"), backup = fixture.PathOf("catalog.backup"), restored = fixture.PathOf("restored.db");
        await fixture.PutAsync("Cakes", "1", """{"Name":"Own"}""");

        await fixture.RunGoodAsync("put", "Cakes", "1", """{"Name":"Catalog"}""", "--store", "catalog");
        await fixture.RunGoodAsync("put", "Cakes", "2", """{"Name":"Angel"}""", "--store", "catalog");
        var own = (await fixture.RunGoodAsync("get", "Cakes", "1")).Json;
        var named = (await fixture.RunGoodAsync("get", "Cakes", "1", "--store", "catalog")).Json;
        await fixture.RunGoodAsync("export", "Cakes", exported, "--store", "catalog");
        await fixture.RunGoodAsync("import", "Imported", exported, "--store", "catalog");
        var keyspaces = (await fixture.RunGoodAsync("keyspaces", "--store", "catalog")).Json;
        var verified = await fixture.RunAsync("verify", "--store", "catalog", "--pause", "0");
        var saved = await fixture.RunGoodAsync("backup", backup, "--verify", "--store", "catalog");
        await fixture.RunGoodAsync("restore", backup, restored, "--node", "1");
        var inspected = (await fixture.RunGoodAsync("inspect", restored)).Json;
        var log = (await fixture.RunGoodAsync("log", "--store", "catalog")).Json;

        Assert.Equal(("Own", "Catalog"), (own.GetProperty("document").GetProperty("Name").GetString(), named.GetProperty("document").GetProperty("Name").GetString()));
        Assert.Equal(["Cakes 2", "Imported 2"], keyspaces.EnumerateArray().Select(static keyspace => $"{keyspace.GetProperty("name").GetString()} {keyspace.GetProperty("documents").GetInt64()}"));
        Assert.Contains("Verifying the store 'catalog' of", verified.Messages, StringComparison.Ordinal);
        Assert.Contains("all documents are equal", verified.Values, StringComparison.Ordinal);
        Assert.StartsWith("The store 'catalog' of node 1 was copied to", saved.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(2, inspected.GetProperty("keyspaces").GetArrayLength());
        Assert.NotEqual(0, log.GetArrayLength());
        Assert.All(log.EnumerateArray(), static line => Assert.EndsWith("[catalog]", line.GetProperty("category").GetString(), StringComparison.Ordinal));
        Assert.Single((await fixture.RunGoodAsync("keyspaces")).Json.EnumerateArray());
    }

    [Fact]
    public async Task Status_and_stores_show_all_stores_and_a_wrong_name_is_answered_with_those_that_exist()
    {
        await using var fixture = await StartAsync();
        await fixture.Cluster[2].OpenStoreAsync("prices", static store => store.UseMemory(), Canceled);
        var follower = await fixture.Cluster[1].OpenStoreAsync("prices", store => store.UseMemory().AsFollower(fixture.Cluster[2].Address), Canceled);
        await follower.Joined.WaitAsync(Eventually.Deadline, Canceled);
        await Eventually.WaitUntilAsync(() => follower.FollowStatus!.Behind is not null, "the follower is up to date");

        var status = await fixture.RunAsync("status");
        var stores = (await fixture.RunGoodAsync("stores")).Json;
        var catalog = await fixture.RunAsync("status", "--store", "catalog");
        var wrong = await fixture.RunAsync("retire", "2", "--yes", "--store", "catalgo");

        Assert.Contains($"node 2 at {fixture.Cluster[2].Address}", status.Values, StringComparison.Ordinal);
        Assert.Equal(["", "catalog", "prices"], stores.EnumerateArray().Select(static store => store.GetProperty("name").GetString()));
        Assert.True(stores[2].GetProperty("follows").GetProperty("isConnected").GetBoolean());
        Assert.Contains("Store 'catalog' of node", catalog.Values, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, wrong.ExitCode);
        Assert.Contains("Node 1 has no open store 'catalgo'. Its open named stores are 'catalog', 'prices'.", wrong.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Empty_name_of_a_store_is_refused()
    {
        await using var fixture = await StartAsync();
        await fixture.PutAsync("Cakes", "1", "{}");

        var separate = await fixture.RunAsync("drop-keyspace", "Cakes", "--yes", "--store", "");
        var joined = await fixture.RunAsync("drop-keyspace", "Cakes", "--yes", "--store=");
        var dropped = (await fixture.RunGoodAsync("drop-keyspace", "Cakes", "--yes", "--store", "catalog")).Json;

        Assert.Equal((ExitCode.Usage, ExitCode.Usage), (separate.ExitCode, joined.ExitCode));
        Assert.Contains("The name after --store is empty. Pass the name of a store, or leave --store out for the node's own store.", separate.Messages, StringComparison.Ordinal);
        Assert.Equal("catalog", dropped.GetProperty("store").GetString());
        Assert.Equal(1, Assert.Single((await fixture.RunGoodAsync("keyspaces")).Json.EnumerateArray()).GetProperty("documents").GetInt64());
    }

    [Fact]
    public async Task Store_that_cannot_be_read_is_shown_with_the_reason()
    {
        await using var fixture = await StartAsync();
        var storage = new SqliteStorage(fixture.PathOf("broken.db"));
        var broken = await fixture.Cluster[1].OpenStoreAsync("broken", store => store.UseStorage(() => storage), Canceled);
        await broken.WaitForMembersAsync(1, Eventually.Deadline, Canceled);
        await broken.DisposeAsync();
        await storage.DisposeAsync();

        var stores = await fixture.RunAsync("stores");
        var status = await fixture.RunAsync("status");

        Assert.Equal(ExitCode.Good, stores.ExitCode);
        Assert.Contains("Store broken cannot be read: The store is closing.", stores.Values, StringComparison.Ordinal);
        Assert.Contains("Store broken cannot be read: The store is closing.", status.Values, StringComparison.Ordinal);
    }

    static async Task<ToolFixture> StartAsync()
    {
        var fixture = await ToolFixture.StartAsync(2, static (folder, options) => options.UseMemory()
            .WithStores(name => name == "catalog" ? store => store.UseSqlite(Path.Combine(folder, $"{Guid.NewGuid():n}.db")) : null));
        foreach (int id in new[] { 1, 2 })
            await fixture.Cluster[id].OpenStoreAsync("catalog", Canceled);
        foreach (int id in new[] { 1, 2 })
            await (await fixture.Cluster[id].OpenStoreAsync("catalog", Canceled)).WaitForMembersAsync(2, Eventually.Deadline, Canceled);
        return fixture;
    }
}
