using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Lmdb;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>Nodes whose files have reached their size limit. Deletes free space on this node and on all others.</summary>
public sealed class FullFileTests : IDisposable
{
    const long MaxFileBytes = 16 * 1024 * 1024;
    const int LargeCake = 200_000;

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("full-");

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("SQLite")]
    [InlineData("LMDB")]
    public async Task Deletes_on_a_full_node_succeed_everywhere_and_free_the_space_of_the_deleted_documents(string provider)
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
            // Once all members know of the deletes, no unknown update can revive a document, and the deleted documents are removed batch by batch.
            int next = first;
            await Eventually.WaitUntilAsync(async () => (next = await FillAsync(nodes[1], next)) - first >= 40, "there is room for as much again");
            Assert.InRange(next - first, 40, 90);

            // On another node than the one that has put the documents.
            for (int key = first; key < next; key++)
                await nodes[2].Cakes.DeleteAsync(key, Consistency.All, Canceled);
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
    public async Task Full_node_that_was_down_during_a_mass_delete_has_room_when_it_is_back(string provider)
    {
        await using var nodes = await StartPairAsync(provider);
        int count = await FillAsync(nodes[2], 0);
        await nodes.WaitUntilEqualAsync(count, 1, 2);
        await nodes[2].StopAsync();
        for (int key = 0; key < count; key++)
            await nodes[1].Cakes.DeleteAsync(key, Consistency.None, Canceled);
        await nodes.StartNodeAsync(2);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes.WaitUntilEqualAsync(0, 1, 2);
        await WaitForRoomAsync(nodes[2], count);
    }

    [Theory]
    [InlineData("SQLite")]
    [InlineData("LMDB")]
    public async Task Full_node_receives_the_writes_of_others_once_documents_are_deleted(string provider)
    {
        await using var nodes = await StartPairAsync(provider);
        int count = await FillAsync(nodes[2], 0);
        for (int key = count; key < count + 10; key++)
            await nodes[1].Cakes.PutAsync(key, new byte[LargeCake], Consistency.None, Canceled);
        for (int key = 0; key < 20; key++)
            await nodes[1].Cakes.DeleteAsync(key, Consistency.None, Canceled);
        await nodes.WaitUntilEqualAsync(count - 10, 1, 2);
    }

    /// <summary>Starts two nodes. The second one has a file with a size limit.</summary>
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

    /// <summary>Puts documents under ascending keys until the file is full. Returns the first key that was not put.</summary>
    static async Task<int> FillAsync(ScenarioNode node, int key, int count = int.MaxValue)
    {
        try
        {
            for (; count > 0; count--, key++)
                await node.Cakes.PutAsync(key, new byte[LargeCake], Consistency.None, Canceled);
        }
        catch (StorageException failure)
        {
            Assert.Equal(StorageError.Full, failure.Error);
        }
        return key;
    }
}
