using System.Text;
using Datacake.Crdt;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests;

/// <summary>Declaring keyspaces that have data already.</summary>
public sealed class DeclarationTests
{
    static readonly DocumentIndex ByName = new("Name", "1", (document, values) =>
    {
        if (document.TryGetCell(DocumentPath.OfProperty("Name").Encoded.Span, out var cell) && !cell.IsRemoved)
        {
            values.Writer.Write(Encoding.UTF8.GetString(cell.Value));
            values.Add();
        }
    });

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_index_whose_building_could_not_be_stored_is_built_by_the_next_declaration()
    {
        var storage = new FaultyStorage();
        await using var cluster = await TestCluster.StartAsync(1, _ => storage);
        var store = cluster[1].Store;
        await PutAsync(store, 1, "cake");
        storage.CommitsToFail = int.MaxValue;
        await Assert.ThrowsAsync<StorageException>(async () => await store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Cancelled));
        storage.CommitsToFail = 0;
        await store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Cancelled);
        Assert.Equal(["1"], await IndexedAsync(store));
    }

    [Fact]
    public async Task An_index_is_stale_after_a_restart_when_the_commit_that_made_it_so_was_repeated()
    {
        var storage = new FaultyStorage();
        await using (var cluster = await TestCluster.StartAsync(1, _ => storage))
        {
            await cluster[1].Store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Cancelled);
            await PutAsync(cluster[1].Store, 1, "cake");
        }
        await using (var cluster = await TestCluster.StartAsync(1, _ => storage))
        {
            storage.CommitsToFail = int.MaxValue;
            await Assert.ThrowsAsync<StorageException>(() => PutAsync(cluster[1].Store, 2, "pie"));
            storage.CommitsToFail = 0;
            await PutAsync(cluster[1].Store, 2, "pie");
        }
        await using (var cluster = await TestCluster.StartAsync(1, _ => storage))
        {
            await cluster[1].Store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Cancelled);
            Assert.Equal(["1", "2"], await IndexedAsync(cluster[1].Store));
        }
    }

    [Fact]
    public async Task A_new_policy_goes_into_the_indexes_too()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        foreach (var store in cluster.Stores)
            await store.DeclareAsync(Declared(MergePolicy.DeleteWins), Cancelled);
        await PutAsync(cluster[1].Store, 1, "cake", Consistency.All);
        cluster[2].Transport.Cut();
        await cluster.WaitUntilAliveAsync(1, 1);
        await cluster[1].Store.Keyspace("shop").DeleteAsync(1, Consistency.None, Cancelled);
        var update = new Transaction();
        update.Update("shop", 1, Content("pie"));
        await cluster[2].Store.CommitAsync(update, Consistency.None, Cancelled);
        cluster[2].Transport.Mend();
        await cluster.WaitUntilEqualAsync("shop", count: 0);
        await cluster.WaitUntilConnectedAsync();

        await cluster[1].Store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Cancelled);
        Assert.NotNull(await cluster[1].Store.Keyspace("shop").GetAsync(1, Cancelled));
        Assert.Equal(["1"], await IndexedAsync(cluster[1].Store));
    }

    [Fact]
    public async Task A_policy_is_changed_and_an_index_built_among_writes()
    {
        var gated = new GatedStorage();
        await using var cluster = await TestCluster.StartAsync(1, _ => gated);
        var store = cluster[1].Store;
        await PutAsync(store, 1, "cake");
        gated.Close();
        var writes = Enumerable.Range(2, 5).Select(key => PutAsync(store, key, "pie")).ToList();
        var declaring = store.DeclareAsync(Declared(MergePolicy.DeleteWins), Cancelled).AsTask();
        writes.AddRange(Enumerable.Range(7, 3).Select(key => PutAsync(store, key, "bread")));
        gated.Open();
        await Task.WhenAll(writes);
        await declaring;
        Assert.Equal(["7", "8", "9", "1", "2", "3", "4", "5", "6"], await IndexedAsync(store));
    }

    static KeyspaceDeclaration Declared(MergePolicy policy) => new("shop", policy, [ByName]);

    static async Task PutAsync(ReplicatedStore store, long key, string name, Consistency level = Consistency.None)
    {
        var transaction = new Transaction();
        transaction.Put("shop", key, Content(name));
        await store.CommitAsync(transaction, level, Cancelled);
    }

    static DocumentContent Content(string name)
    {
        var builder = new DocumentContentBuilder();
        builder.Set(DocumentPath.OfProperty("Name").Encoded.Span, Encoding.UTF8.GetBytes(name));
        return builder.Build();
    }

    static async Task<IEnumerable<string>> IndexedAsync(ReplicatedStore store)
    {
        using var snapshot = await store.OpenSnapshotAsync(Cancelled);
        var entries = await snapshot.ScanIndexAsync("shop", "Name", KeyRange.All, ScanDirection.Forward, 100, Cancelled);
        return entries.Select(entry => entry.Key.ToString());
    }
}
