using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>A node with an empty disk and the id of another node, whose disk is lost or only switched off.</summary>
public sealed class TakenIdTests : IDisposable
{
    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("datacake");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Empty_disk_is_refused_with_the_reason_and_the_original_returns_with_its_own_writes()
    {
        await using var nodes = await StartAsync();
        nodes[3].Transport.Cut();
        await Eventually.WaitUntilAsync(() => nodes[1].Node.Members.Any(member => member is { NodeId: 3, IsUp: false }), "node 3 is missed");
        await nodes[3].PutAsync(1, "nowhere else", Consistency.None);
        await nodes[3].KillAsync();
        nodes[3].Transport.Heal();

        nodes[3].OpenDisk = Disk("empty");
        await nodes.StartNodeAsync(3, store => store.JoinTimeout = TimeSpan.FromMilliseconds(200));
        string reason = await nodes.WaitUntilRefusedAsync(1, 3);
        Assert.Contains("the cluster knows node 3 with another store, which may contain writes that no other node has", reason, StringComparison.Ordinal);
        await nodes.WaitUntilRefusedAsync(3, 1);
        await nodes.WaitUntilRefusedAsync(3, 2);
        // With each attempt to open a session, the refusal is forgotten for a moment.
        await Eventually.WaitUntilAsync(
            async () => (await Assert.ThrowsAsync<TimeoutException>(() => nodes[3].PutAsync(2, "too early", Consistency.None)))
                .Message.Contains("set Store:TakeOverNodeId in the configuration, or ReplicatedStoreOptions.TakeOverNodeId", StringComparison.Ordinal),
            "the error names the remedy");
        await nodes[3].StopAsync();

        nodes[3].OpenDisk = Disk("real");
        await nodes.StartNodeAsync(3);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        await nodes[1].WaitForAsync(1, "nowhere else");
        Assert.Null(nodes[3].Store.Exclusion);
    }

    [Fact]
    public async Task Empty_disk_takes_over_on_the_order_of_the_operator_and_the_old_one_is_excluded()
    {
        await using var nodes = await StartAsync();
        await nodes[3].StopAsync();
        nodes[3].OpenDisk = Disk("empty");
        await nodes.StartNodeAsync(3, store => store.TakeOverNodeId = true);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        Assert.Equal("of all", await nodes[3].GetAsync(0));
        await nodes[3].PutAsync(1, "afresh", Consistency.All);
        await nodes[3].StopAsync();

        nodes[3].OpenDisk = Disk("real");
        await nodes.StartNodeAsync(3);
        await Eventually.WaitUntilAsync(() => nodes[3].Store.Exclusion is not null, "the old store knows that it was replaced");
        var failure = await Assert.ThrowsAsync<StoreExcludedException>(() => nodes[3].PutAsync(2, "nowhere", Consistency.None));
        Assert.Contains("can recover the writes with ReplicatedStore.SalvageAsync", failure.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Empty_disk_joins_once_the_node_is_retired()
    {
        await using var nodes = await StartAsync();
        await nodes[3].StopAsync();
        nodes[3].OpenDisk = Disk("empty");
        await nodes.StartNodeAsync(3);
        await nodes.WaitUntilRefusedAsync(1, 3);
        await nodes[1].Store.RetireAsync(3, TestContext.Current.CancellationToken);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        Assert.Equal("of all", await nodes[3].GetAsync(0));
    }

    async Task<ScenarioNodes> StartAsync()
    {
        var nodes = new ScenarioNodes();
        nodes[3].OpenDisk = Disk("real");
        foreach (int id in new[] { 1, 2, 3 })
            await nodes.StartNodeAsync(id);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        await nodes[1].PutAsync(0, "of all", Consistency.All);
        return nodes;
    }

    Func<IStorage> Disk(string name) => () => new SqliteStorage(Path.Combine(_directory.CreateSubdirectory(name).FullName, "node3.db"));
}
