using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Keyspaces;

/// <summary>Declarations of keyspaces that already have data.</summary>
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

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Index_whose_build_could_not_be_stored_is_built_by_the_next_declaration()
    {
        var storage = new FaultyStorage();
        await using var cluster = await TestCluster.StartAsync(1, _ => storage);
        var store = cluster[1].Store;
        await PutAsync(store, 1, "cake");
        storage.CommitsToFail = int.MaxValue;
        await Assert.ThrowsAsync<StorageException>(async () => await store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Canceled));
        storage.CommitsToFail = 0;
        await store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Canceled);
        Assert.Equal(["1"], await IndexedAsync(store));
    }

    [Fact]
    public async Task Index_is_stale_after_a_restart_even_if_the_commit_that_made_it_stale_was_retried()
    {
        var storage = new FaultyStorage();
        await using (var cluster = await TestCluster.StartAsync(1, _ => storage))
        {
            await cluster[1].Store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Canceled);
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
            await cluster[1].Store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Canceled);
            Assert.Equal(["1", "2"], await IndexedAsync(cluster[1].Store));
        }
    }

    [Fact]
    public async Task New_policy_also_updates_the_indexes()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        foreach (var store in cluster.Stores)
            await store.DeclareAsync(Declared(MergePolicy.DeleteWins), Canceled);
        await PutAsync(cluster[1].Store, 1, "cake", Consistency.All);
        cluster[3].Transport.Cut();                         // so that no node purges the tombstones
        cluster[2].Transport.Cut();
        await cluster.WaitUntilAliveAsync(1, 1);
        var deleted = await cluster[1].Store.Keyspace("shop").DeleteAsync(1, Consistency.None, Canceled);
        CommitResult updated;
        do
        {
            var update = new Transaction();
            update.Update("shop", 1, Content("pie"));
            updated = await cluster[2].Store.CommitAsync(update, Consistency.None, Canceled);
        }
        while (updated.Stamp < deleted.Stamp);
        cluster[2].Transport.Heal();
        await cluster[1].Store.WaitForAsync(updated.Token, Canceled);
        Assert.Null(await cluster[1].Store.Keyspace("shop").GetAsync(1, Canceled));

        await cluster[1].Store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Canceled);
        Assert.NotNull(await cluster[1].Store.Keyspace("shop").GetAsync(1, Canceled));
        Assert.Equal(["1"], await IndexedAsync(cluster[1].Store));
    }

    [Fact]
    public async Task Policy_changes_and_indexes_are_built_during_writes()
    {
        var gated = new GatedStorage();
        await using var cluster = await TestCluster.StartAsync(1, _ => gated);
        var store = cluster[1].Store;
        await PutAsync(store, 1, "cake");
        gated.Close();
        var writes = Enumerable.Range(2, 5).Select(key => PutAsync(store, key, "pie")).ToList();
        var declaring = store.DeclareAsync(Declared(MergePolicy.DeleteWins), Canceled).AsTask();
        writes.AddRange(Enumerable.Range(7, 3).Select(key => PutAsync(store, key, "bread")));
        gated.Open();
        await Task.WhenAll(writes);
        await declaring;
        Assert.Equal(["7", "8", "9", "1", "2", "3", "4", "5", "6"], await IndexedAsync(store));
    }

    [Fact]
    public async Task Index_of_many_documents_is_built_during_writes()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var store = cluster[1].Store;
        await PutManyAsync(store, 10_000);
        await store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Canceled);
        await PutAsync(store, 3, "changed");
        await PutAsync(store, 20_000, "added");
        await store.Keyspace("shop").DeleteAsync(9_000, Consistency.None, Canceled);
        await store.WaitForIndexesAsync("shop", Canceled);
        Assert.True(Assert.Single(store.ListIndexes("shop")).IsBuilt);
        var keys = (await IndexedAsync(store)).ToHashSet();
        Assert.Equal(10_000, keys.Count);
        Assert.Contains("20000", keys);
        Assert.DoesNotContain("9000", keys);
    }

    [Fact]
    public async Task Index_is_not_read_while_it_is_being_built()
    {
        var storage = new FaultyStorage();
        await using var cluster = await TestCluster.StartAsync(1, _ => storage);
        var store = cluster[1].Store;
        await PutManyAsync(store, 10_000);
        (storage.FailingOperation, storage.CommitsToPass, storage.CommitsToFail) = (WritesIndex, 1, int.MaxValue);
        await store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Canceled);
        using (var snapshot = await store.OpenSnapshotAsync(Canceled))
        {
            Assert.False(snapshot.HasIndex("shop", "Name"));
            await Assert.ThrowsAsync<InvalidOperationException>(() => IndexedAsync(store));
        }
        storage.CommitsToFail = 0;
        await store.WaitForIndexesAsync("shop", Canceled);
        Assert.Equal(10_000, (await IndexedAsync(store)).Count());
    }

    [Fact]
    public async Task Index_build_continues_after_a_restart()
    {
        var storage = new FaultyStorage();
        await using (var cluster = await TestCluster.StartAsync(1, _ => storage))
        {
            await PutManyAsync(cluster[1].Store, 10_000);
            (storage.FailingOperation, storage.CommitsToPass, storage.CommitsToFail) = (WritesIndex, 1, int.MaxValue);
            await cluster[1].Store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Canceled);
        }
        storage.CommitsToFail = 0;
        await using (var cluster = await TestCluster.StartAsync(1, _ => storage))
        {
            var store = cluster[1].Store;
            await store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Canceled);
            await store.WaitForIndexesAsync("shop", Canceled);
            Assert.Equal(10_000, Assert.Single(store.ListIndexes("shop")).Documents);
            Assert.Equal(10_000, (await IndexedAsync(store)).Count());
        }
    }

    [Fact]
    public async Task An_index_that_is_no_longer_declared_is_removed_from_the_store()
    {
        var storage = new MemoryStorage();
        await using (var cluster = await TestCluster.StartAsync(1, _ => storage))
        {
            await cluster[1].Store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Canceled);
            await PutManyAsync(cluster[1].Store, 100);
        }
        Assert.Equal(100, await CountEntriesAsync(storage));
        await using (var cluster = await TestCluster.StartAsync(1, _ => storage))
        {
            await PutAsync(cluster[1].Store, 1, "cake");
            await TestCluster.WaitUntilAsync(async () => await CountEntriesAsync(storage) == 0, "the entries are gone");
        }
    }

    [Fact]
    public async Task An_index_with_a_new_signature_replaces_the_old_one()
    {
        var storage = new MemoryStorage();
        await using var cluster = await TestCluster.StartAsync(1, _ => storage);
        var store = cluster[1].Store;
        await PutManyAsync(store, 100);
        await store.DeclareAsync(Declared(MergePolicy.LastWriterWins), Canceled);
        var constant = new DocumentIndex("Name", "2", (document, values) =>
        {
            values.Writer.Write("X");
            values.Add();
        });
        await store.DeclareAsync(new KeyspaceDeclaration("shop", MergePolicy.LastWriterWins, [constant]), Canceled);
        await TestCluster.WaitUntilAsync(async () => await CountEntriesAsync(storage) == 100, "the old entries are gone");
        Assert.Equal(100, (await IndexedAsync(store)).Count());
    }

    static bool WritesIndex(WriteOperation operation) => operation.Key.Span.SequenceEqual(StoreLayout.IndexKey(1));

    static async Task<int> CountEntriesAsync(MemoryStorage storage)
    {
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);
        return (await snapshot.ScanAsync(StoreLayout.AllIndexEntries, ScanDirection.Forward, 100_000, Canceled)).Count;
    }

    static async Task PutManyAsync(ReplicatedStore store, int count)
    {
        var transaction = new Transaction();
        for (int key = 0; key < count; key++)
            transaction.Put("shop", key, Content($"cake {key}"));
        await store.CommitAsync(transaction, Consistency.None, Canceled);
    }

    static KeyspaceDeclaration Declared(MergePolicy policy) => new("shop", policy, [ByName]);

    static async Task PutAsync(ReplicatedStore store, long key, string name, Consistency level = Consistency.None)
    {
        var transaction = new Transaction();
        transaction.Put("shop", key, Content(name));
        await store.CommitAsync(transaction, level, Canceled);
    }

    static DocumentContent Content(string name)
    {
        var builder = new DocumentContentBuilder();
        builder.Set(DocumentPath.OfProperty("Name").Encoded.Span, Encoding.UTF8.GetBytes(name));
        return builder.Build();
    }

    static async Task<IEnumerable<string>> IndexedAsync(ReplicatedStore store)
    {
        using var snapshot = await store.OpenSnapshotAsync(Canceled);
        return (await snapshot.ReadIndexAsync("shop", "Name", KeyRange.All)).Select(key => key.ToString());
    }
}
