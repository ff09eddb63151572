using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Tests.Fixtures;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>Keyspaces that are dropped and leave nothing behind.</summary>
public sealed class DroppedKeyspaceTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Dropped_keyspace_disappears_from_all_nodes_and_a_write_recreates_it()
    {
        await using var nodes = new ScenarioNodes();
        foreach (int id in (int[])[1, 2])
            await nodes.StartNodeAsync(id, OftenReporting);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[1].PutAsync(1, "kept", Consistency.All);
        for (int key = 0; key < 1_200; key++)
            await nodes[1].Store.Keyspace("scraps").PutAsync(key, "x"u8.ToArray(), Consistency.None, Canceled);
        await nodes[1].Store.Keyspace("scraps").PutAsync(1_200, "x"u8.ToArray(), Consistency.All, Canceled);

        Assert.Equal(1_201, await nodes[2].Store.DropKeyspaceAsync("scraps", Consistency.All, Canceled));
        await WaitUntilKeyspacesAreAsync(nodes, 1, "cakes");
        await WaitUntilKeyspacesAreAsync(nodes, 2, "cakes");
        Assert.Equal(0, await nodes[2].Store.DropKeyspaceAsync("scraps", Consistency.All, Canceled));
        Assert.Equal("kept", await nodes[1].GetAsync(1));

        await nodes[2].Store.Keyspace("scraps").PutAsync(7, "anew"u8.ToArray(), Consistency.All, Canceled);
        Assert.Equal(1, (await nodes[1].Store.Keyspace("scraps").GetStatisticsAsync(Canceled)).Count);
        Assert.Equal(["cakes", "scraps"], nodes[1].Store.ListKeyspaces());
    }

    [Fact]
    public async Task Number_of_a_removed_keyspace_is_reused_after_a_restart()
    {
        await using var nodes = new ScenarioNodes();
        await nodes.StartNodeAsync(1, OftenReporting);
        await nodes[1].Store.Keyspace("scraps").PutAsync(1, "x"u8.ToArray(), Consistency.None, Canceled);
        await nodes[1].PutAsync(1, "kept", Consistency.None);
        await nodes[1].Store.DropKeyspaceAsync("scraps", Consistency.None, Canceled);
        await WaitUntilKeyspacesAreAsync(nodes, 1, "cakes");
        await nodes[1].KillAsync();

        await nodes.StartNodeAsync(1, OftenReporting);
        Assert.Equal(["cakes"], nodes[1].Store.ListKeyspaces());
        Assert.Equal("kept", await nodes[1].GetAsync(1));
        await nodes[1].Store.Keyspace("crumbs").PutAsync(1, "other"u8.ToArray(), Consistency.None, Canceled);
        await nodes[1].KillAsync();

        await nodes.StartNodeAsync(1, OftenReporting);
        Assert.Equal(["cakes", "crumbs"], nodes[1].Store.ListKeyspaces());
        Assert.Null(await nodes[1].Store.Keyspace("scraps").GetAsync(1, Canceled));
        Assert.NotNull(await nodes[1].Store.Keyspace("crumbs").GetAsync(1, Canceled));
        Assert.True((await nodes[1].Store.VerifyAsync(Canceled)).IsSound);
    }

    [Fact]
    public async Task Ten_thousand_keyspaces_that_a_member_invented_can_be_dropped()
    {
        await using var nodes = new ScenarioNodes();
        await nodes.StartNodeAsync(1, OftenReporting);
        var store = nodes[1].Store;
        for (int first = 0; first < 10_000; first += 500)
        {
            var transaction = new Transaction();
            for (int number = first; number < first + 500; number++)
                transaction.Put($"made up {number}", 1, DocumentContent.OfRaw("x"u8));
            await store.CommitAsync(transaction, Consistency.None, Canceled);
        }
        await Assert.ThrowsAsync<InvalidDataException>(() => nodes[1].PutAsync(1, "one too many", Consistency.None));
        foreach (string keyspace in store.ListKeyspaces())
            await store.DropKeyspaceAsync(keyspace, Consistency.None, Canceled);
        await WaitUntilKeyspacesAreAsync(nodes, 1);
        await nodes[1].PutAsync(1, "fits", Consistency.None);
        Assert.Equal("fits", await nodes[1].GetAsync(1));
    }

    [Fact]
    public async Task Declared_keyspace_cannot_be_dropped_locally_and_is_emptied_when_another_node_drops_it()
    {
        await using var nodes = new ScenarioNodes();
        foreach (int id in (int[])[1, 2])
            await nodes.StartNodeAsync(id, OftenReporting);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[1].Store.DeclareAsync(new KeyspaceDeclaration("cakes", MergePolicy.LastWriterWins, []), Canceled);
        await nodes[1].PutAsync(1, "x", Consistency.All);

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(async () => await nodes[1].Store.DropKeyspaceAsync("cakes", Consistency.None, Canceled));
        Assert.Contains("'cakes'", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, await nodes[2].Store.DropKeyspaceAsync("cakes", Consistency.All, Canceled));
        await WaitUntilKeyspacesAreAsync(nodes, 2);
        Assert.Equal(["cakes"], nodes[1].Store.ListKeyspaces());
        Assert.Null(await nodes[1].GetAsync(1));
    }

    [Fact]
    public async Task Unknown_keyspace_is_refused()
    {
        await using var nodes = new ScenarioNodes();
        await nodes.StartNodeAsync(1);
        foreach (string name in (string[])["", "\ud800", new string('x', 201)])
            await Assert.ThrowsAsync<ArgumentException>(async () => await nodes[1].Store.DropKeyspaceAsync(name, Consistency.None, Canceled));
    }

    static void OftenReporting(ReplicatedStoreOptions options) => options.ReportInterval = TimeSpan.FromMilliseconds(10);

    static async Task WaitUntilKeyspacesAreAsync(ScenarioNodes nodes, int id, params string[] expected) => await Eventually.WaitUntilAsync(
        () => nodes[id].Store.ListKeyspaces().SequenceEqual(expected), () => $"node {id} has removed all but its keyspaces; it has {nodes[id].Store.ListKeyspaces().Count}");
}
