using Datacake.Lmdb;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>Nodes whose files have reached the size that they may have: deletes make room, here and at all others.</summary>
public sealed class FullFileTests : IDisposable
{
    const long MaxFileBytes = 16 * 1024 * 1024;
    const int LargeCake = 200_000;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("full-");

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("SQLite")]
    [InlineData("LMDB")]
    public async Task Deletes_at_a_full_node_go_through_everywhere_and_then_there_is_room_for_as_much_again(string provider)
    {
        await using var nodes = new ScenarioNodes();
        for (int id = 1; id <= 3; id++)
        {
            string file = Path.Combine(_folder.FullName, $"node{id}");
            nodes[id].OpenDisk = () => Open(provider, file);
            await nodes.StartNodeAsync(id);
        }
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        int first = 0;
        for (int round = 0; round < 2; round++)
        {
            // As soon as all know of the deletes, an update that nobody knew of can bring nothing back, and what was deleted is removed, one batch after the other.
            int next = first;
            await Eventually.WaitUntilAsync(async () => (next = await FillAsync(nodes[1], next)) - first >= 40, "there is room for as much again");
            Assert.InRange(next - first, 40, 90);
            Assert.Equal(StorageError.Full, Assert.IsType<StorageException>(nodes[1].Store.StorageFailure).Error);

            // At another node than the one that has put them.
            for (int key = first; key < next; key++)
                await nodes[2].Cakes.DeleteAsync(key, Consistency.All, Cancelled);
            await nodes.WaitUntilEqualAsync(0, 1, 2, 3);
            first = next;
        }
        await WaitForRoomAsync(nodes[1], first);
        await nodes[1].PutSoonAsync(first, "cake", Consistency.All);
        await Eventually.WaitUntilAsync(() => nodes[1].Store.StorageFailure is null, "there is room again");
    }

    [Theory]
    [InlineData("SQLite")]
    [InlineData("LMDB")]
    public async Task Node_that_was_down_while_all_was_deleted_has_room_when_it_is_back_though_its_file_is_full(string provider)
    {
        await using var nodes = await StartPairAsync(provider);
        int count = await FillAsync(nodes[2], 0);
        await nodes.WaitUntilEqualAsync(count, 1, 2);
        await nodes[2].StopAsync();
        for (int key = 0; key < count; key++)
            await nodes[1].Cakes.DeleteAsync(key, Consistency.None, Cancelled);
        await nodes.StartNodeAsync(2);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes.WaitUntilEqualAsync(0, 1, 2);
        await WaitForRoomAsync(nodes[2], count);
    }

    [Theory]
    [InlineData("SQLite")]
    [InlineData("LMDB")]
    public async Task Node_that_has_no_room_for_what_others_put_has_it_once_something_was_deleted(string provider)
    {
        await using var nodes = await StartPairAsync(provider);
        int count = await FillAsync(nodes[2], 0);
        for (int key = count; key < count + 10; key++)
            await nodes[1].Cakes.PutAsync(key, new byte[LargeCake], Consistency.None, Cancelled);
        for (int key = 0; key < 20; key++)
            await nodes[1].Cakes.DeleteAsync(key, Consistency.None, Cancelled);
        await nodes.WaitUntilEqualAsync(count - 10, 1, 2);
    }

    /// <summary>Starts two nodes, the second of which has a file with a limit.</summary>
    async Task<ScenarioNodes> StartPairAsync(string provider)
    {
        var nodes = new ScenarioNodes();
        string file = Path.Combine(_folder.FullName, "node2");
        nodes[2].OpenDisk = () => Open(provider, file);
        await nodes.StartNodeAsync(1);
        await nodes.StartNodeAsync(2);
        await nodes.WaitUntilConnectedAsync(1, 2);
        return nodes;
    }

    static async Task WaitForRoomAsync(ScenarioNode node, int key) => await Eventually.WaitUntilAsync(
        async () => await FillAsync(node, key, count: 1) > key, "there is room for another document");

    static IStorage Open(string provider, string file) => provider == "SQLite"
        ? new SqliteStorage(file, new SqliteStorageOptions { MaxFileBytes = MaxFileBytes })
        : new LmdbStorage(file, new LmdbStorageOptions { MaxFileBytes = MaxFileBytes });

    /// <summary>Puts documents from a key on until the file is full; returns the first key that is not put.</summary>
    static async Task<int> FillAsync(ScenarioNode node, int key, int count = int.MaxValue)
    {
        try
        {
            for (; count > 0; count--, key++)
                await node.Cakes.PutAsync(key, new byte[LargeCake], Consistency.None, Cancelled);
        }
        catch (StorageException failure)
        {
            Assert.Equal(StorageError.Full, failure.Error);
        }
        return key;
    }
}
