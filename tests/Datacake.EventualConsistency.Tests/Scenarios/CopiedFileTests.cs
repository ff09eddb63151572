using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Sqlite;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>A copy of a node's own files that is restored, or started beside the original.</summary>
public sealed class CopiedFileTests : IDisposable
{
    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("datacake");

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(-600)]
    public async Task Node_with_a_restored_older_file_recovers_the_missing_writes_and_keeps_later_ones(int clockOffsetInSeconds)
    {
        await using var nodes = await StartAsync();
        for (int key = 0; key < 10; key++)
            await nodes[3].PutAsync(key, "kept", Consistency.All);
        await nodes[3].StopAsync();
        CopyFile(from: "original", to: "copy");
        await nodes.StartNodeAsync(3);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        for (int key = 5; key < 40; key++)
            await nodes[3].PutAsync(key, "lost with the newer file", Consistency.All);
        for (int key = 40; key < 60; key++)
            await nodes[1].PutAsync(key, "of another node", Consistency.All);
        await nodes[3].KillAsync();

        nodes[3].OpenDisk = Disk("copy");
        nodes[3].Time.Offset = TimeSpan.FromSeconds(clockOffsetInSeconds);
        await nodes.StartNodeAsync(3);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        await nodes.WaitUntilEqualAsync(60, 1, 2, 3);
        Assert.Equal("lost with the newer file", await nodes[3].GetAsync(5));
        for (int key = 0; key < 70; key += 5)
            await nodes[3].PutAsync(key, "later", Consistency.All);
        await nodes.WaitUntilEqualAsync(62, 1, 2, 3);
        foreach (int id in new[] { 1, 2, 3 })
        {
            Assert.Equal("later", await nodes[id].GetAsync(5));
            Assert.Equal("lost with the newer file", await nodes[id].GetAsync(6));
        }
        await nodes[3].Cakes.DeleteAsync(6, Consistency.All, Canceled);
        await nodes.WaitUntilEqualAsync(61, 1, 2, 3);
    }

    [Fact]
    public async Task Restored_older_file_written_to_in_isolation_loses_nothing_if_the_clock_is_right()
    {
        await using var nodes = await StartAsync();
        await CopyStoppedAsync(nodes);
        for (int key = 10; key < 30; key++)
            await nodes[3].PutAsync(key, "lost with the newer file", Consistency.All);
        foreach (int id in new[] { 1, 2, 3 })
            await nodes[id].KillAsync();

        nodes[3].OpenDisk = Disk("copy");
        await nodes.StartNodeAsync(3);
        for (int key = 20; key < 40; key++)
            await nodes[3].PutAsync(key, "alone", Consistency.None);
        await nodes.StartNodeAsync(2);
        await nodes.StartNodeAsync(1);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        await nodes.WaitUntilEqualAsync(31, 1, 2, 3);
        foreach (int id in new[] { 1, 2, 3 })
            Assert.Equal(("lost with the newer file", "alone", "alone"), (await nodes[id].GetAsync(10), await nodes[id].GetAsync(20), await nodes[id].GetAsync(39)));
        await nodes[3].PutAsync(10, "later", Consistency.All);
    }

    [Fact]
    public async Task Restored_older_file_written_to_in_isolation_with_a_slow_clock_is_refused_with_the_reason()
    {
        await using var nodes = await StartAsync();
        await nodes[3].PutAsync(1, "kept", Consistency.All);
        await nodes[3].StopAsync();
        CopyFile(from: "original", to: "copy");
        await nodes.StartNodeAsync(3);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        await nodes[3].PutAsync(1, "lost with the newer file", Consistency.All);
        await nodes[3].KillAsync();

        nodes[3].OpenDisk = Disk("copy");
        nodes[3].Time.Offset = TimeSpan.FromMinutes(-10);
        nodes[3].Transport.Cut();
        await nodes.StartNodeAsync(3);
        await nodes[3].PutAsync(2, "among the lost stamps", Consistency.None);
        nodes[3].Transport.Heal();
        await nodes.WaitUntilRefusedAsync(1, 3);
        await Eventually.WaitUntilAsync(() => nodes[3].Store.Exclusion is not null, "node 3 knows that its file is an old copy");
        var failure = await Assert.ThrowsAsync<StoreExcludedException>(() => nodes[3].PutAsync(3, "nowhere", Consistency.None));
        Assert.Contains("move the files away and start the node with an empty store", failure.Reason, StringComparison.Ordinal);
        await nodes[1].PutAsync(4, "cake", Consistency.Quorum);
        Assert.Equal("lost with the newer file", await nodes[2].GetAsync(1));

        await nodes[3].StopAsync();
        nodes[3].Wipe();
        await nodes.StartNodeAsync(3, store => store.TakeOverNodeId = true);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        await nodes.WaitUntilEqualAsync(2, 1, 2, 3);
        await nodes[3].PutAsync(5, "afresh", Consistency.All);
    }

    [Fact]
    public async Task Clone_started_beside_the_original_fails_to_start_and_names_the_original()
    {
        await using var nodes = await StartAsync();
        await CopyStoppedAsync(nodes);
        var clone = new ScenarioNode(3, nodes.Addresses.Next()) { OpenDisk = Disk("copy") };
        var refusal = await Assert.ThrowsAsync<ClusterRefusedException>(() => clone.StartAsync([nodes[1].Address], null, null));
        Assert.Contains(nodes[3].Address, refusal.Message, StringComparison.Ordinal);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        await nodes[3].PutAsync(1, "original", Consistency.All);
    }

    [Fact]
    public async Task Original_that_meets_its_clone_later_is_excluded_with_the_reason()
    {
        await using var nodes = await StartAsync();
        await CopyStoppedAsync(nodes);
        nodes[3].Transport.Cut();
        await Eventually.WaitUntilAsync(() => Misses(nodes[1]) && Misses(nodes[2]), "nodes 1 and 2 miss node 3");
        await nodes[3].PutAsync(1, "by the original, alone", Consistency.None);
        var clone = new ScenarioNode(3, nodes.Addresses.Next()) { OpenDisk = Disk("copy") };
        await clone.StartAsync([nodes[1].Address], null, null);
        try
        {
            await Eventually.WaitUntilAsync(() => nodes[1].Store.Members.Count(member => member.IsUp) == 3 && clone.Store.Members.Count(member => member.IsUp) == 3, "the clone is in session with both");
            await clone.PutAsync(2, "by the clone", Consistency.All);
            nodes[3].Transport.Heal();
            await Eventually.WaitUntilAsync(
                () => nodes[3].Store.Exclusion is not null, () => $"the original is excluded: {nodes[3].Describe()}; {clone.Describe()}");
            var failure = await Assert.ThrowsAsync<StoreExcludedException>(() => nodes[3].PutAsync(3, "nowhere", Consistency.None));
            Assert.Contains("its files were copied", failure.Reason, StringComparison.Ordinal);
            Assert.Null(clone.Store.Exclusion);
            await clone.PutAsync(4, "by the clone", Consistency.None);
            await nodes[1].WaitForAsync(4, "by the clone");
        }
        finally
        {
            await clone.StopAsync();
        }
    }

    static bool Misses(ScenarioNode node) => node.Node.Members.Any(member => member is { NodeId: 3, IsUp: false });

    async Task<ScenarioNodes> StartAsync()
    {
        var nodes = new ScenarioNodes();
        nodes[3].OpenDisk = Disk("original");
        foreach (int id in new[] { 1, 2, 3 })
            await nodes.StartNodeAsync(id);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        return nodes;
    }

    async Task CopyStoppedAsync(ScenarioNodes nodes)
    {
        await nodes[3].PutAsync(1, "kept", Consistency.All);
        await nodes[3].StopAsync();
        CopyFile(from: "original", to: "copy");
        await nodes.StartNodeAsync(3);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
    }

    Func<Datacake.Storage.IStorage> Disk(string name) => () => new SqliteStorage(Path.Combine(_directory.CreateSubdirectory(name).FullName, "node3.db"));

    void CopyFile(string from, string to)
    {
        string target = _directory.CreateSubdirectory(to).FullName;
        foreach (var file in _directory.CreateSubdirectory(from).EnumerateFiles())
            file.CopyTo(Path.Combine(target, file.Name));
    }
}
