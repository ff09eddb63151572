using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests;

/// <summary>Stores on a storage that fails for a while.</summary>
public sealed class StorageFailureTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Replica_continues_to_report_and_collect_after_a_failed_commit()
    {
        var storage = new FaultyStorage();
        storage.FailingOperation = operation => operation.Value is null && StoreLayout.AllLog.Contains(operation.Key.Span);
        storage.CommitsToFail = 1;
        await using var cluster = await TestCluster.StartAsync(1, _ => storage);
        await cluster[1].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.None, Canceled);
        await TestCluster.WaitUntilAsync(() => storage.CommitsToFail == 0, "the log's truncation was refused");
        await TestCluster.WaitUntilAsync(async () => await CountAsync(storage, StoreLayout.AllLog) == 0, "the log is truncated");
    }

    [Fact]
    public async Task Callers_see_the_failure_of_an_unreadable_storage_and_the_next_ones_are_served()
    {
        var storage = new FaultyStorage();
        await using var cluster = await TestCluster.StartAsync(1, _ => storage);
        var cakes = cluster[1].Store.Keyspace("cakes");
        storage.SnapshotsToFail = int.MaxValue;
        await Assert.ThrowsAsync<StorageException>(
            () => cakes.PutAsync(1, "cake"u8.ToArray(), Consistency.None, Canceled).AsTask().WaitAsync(TestCluster.Deadline, Canceled));
        await Assert.ThrowsAsync<StorageException>(() => cluster[1].Store.ForgetAsync(7, Canceled).AsTask().WaitAsync(TestCluster.Deadline, Canceled));
        storage.SnapshotsToFail = 0;
        await cakes.PutAsync(1, "cake"u8.ToArray(), Consistency.None, Canceled);
    }

    [Fact]
    public async Task Delete_batched_with_puts_succeeds_when_there_is_room_for_deletes_only()
    {
        var storage = new FaultyStorage();
        await using var cluster = await TestCluster.StartAsync(1, _ => storage);
        var cakes = cluster[1].Store.Keyspace("cakes");
        for (int key = 0; key < 100; key++)
            await cakes.PutAsync(key, "cake"u8.ToArray(), Consistency.None, Canceled);
        storage.IsFull = true;
        var puts = new List<Task>();
        var deletes = new List<Task>();
        for (int key = 0; key < 100; key++)
        {
            puts.Add(cakes.PutAsync(1_000 + key, "a cake that is larger"u8.ToArray(), Consistency.None, Canceled).AsTask());
            deletes.Add(cakes.DeleteAsync(key, Consistency.None, Canceled).AsTask());
        }
        await Task.WhenAll(deletes).WaitAsync(TestCluster.Deadline, Canceled);
        foreach (var put in puts)
            Assert.Equal(StorageError.Full, (await Assert.ThrowsAsync<StorageException>(() => put.WaitAsync(TestCluster.Deadline, Canceled))).Error);
        Assert.Equal(0, (await cakes.GetStatisticsAsync(Canceled)).Count);
        Assert.Equal(StorageError.Full, Assert.IsType<StorageException>(cluster[1].Store.StorageFailure).Error);
        await TestCluster.WaitUntilAsync(async () => await CountAsync(storage, StoreLayout.AllLog) == 0, "the log is truncated");

        storage.IsFull = false;
        await cakes.PutAsync(1, new byte[100_000], Consistency.None, Canceled);
        Assert.Null(cluster[1].Store.StorageFailure);
    }

    [Fact]
    public async Task Full_storage_that_takes_small_commits_is_full_until_it_takes_a_large_one()
    {
        var storage = new FaultyStorage();
        await using var cluster = await TestCluster.StartAsync(1, _ => storage);
        var store = cluster[1].Store;
        var cakes = store.Keyspace("cakes");
        storage.RoomBytes = 1_000_000;
        Assert.Equal(StorageError.Full, (await Assert.ThrowsAsync<StorageException>(() => cakes.PutAsync(1, new byte[1_000_000], Consistency.None, Canceled).AsTask())).Error);

        for (int key = 2; key < 50; key++)
        {
            await cakes.PutAsync(key, "a small cake"u8.ToArray(), Consistency.None, Canceled);
            Assert.Equal(StorageError.Full, Assert.IsType<StorageException>(store.StorageFailure).Error);
        }
        storage.RoomBytes = int.MaxValue;
        await cakes.PutAsync(1, new byte[1_000_000], Consistency.None, Canceled);

        Assert.Null(store.StorageFailure);
        Assert.Equal(49, (await cakes.GetStatisticsAsync(Canceled)).Count);
    }

    [Fact]
    public async Task Declarations_and_operator_commands_succeed_when_there_is_room_for_deletes_only()
    {
        var storage = new FaultyStorage();
        await using var cluster = await TestCluster.StartAsync(2, node => node == 1 ? storage : new MemoryStorage());
        var store = cluster[1].Store;
        await store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.None, Canceled);
        storage.IsFull = true;
        await Assert.ThrowsAsync<StorageException>(() => store.Keyspace("cakes").PutAsync(2, "a cake that is larger"u8.ToArray(), Consistency.None, Canceled).AsTask());

        // An application that has just started does this.
        await store.DeclareAsync(new KeyspaceDeclaration("cakes", MergePolicy.LastWriterWins, []), Canceled);
        await store.DeclareAsync(new KeyspaceDeclaration("pies", MergePolicy.LastWriterWins, []), Canceled);
        await store.VerifyAsync(Canceled);
        await store.RetireAsync(2, Canceled);
        await store.Keyspace("cakes").DeleteAsync(1, Consistency.None, Canceled);
        Assert.Equal(StorageError.Full, Assert.IsType<StorageException>(store.StorageFailure).Error);

        // Nothing is put in the meantime.
        storage.IsFull = false;
        await TestCluster.WaitUntilAsync(() => store.StorageFailure is null, "it is noticed that there is room again");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Document_count_is_right_after_a_commit_and_the_following_snapshot_failed(bool isExpectedFailure)
    {
        var storage = new FaultyStorage();
        if (!isExpectedFailure)
            storage.Failure = () => new IOException("The disk does not answer.");
        await using var cluster = await TestCluster.StartAsync(1, _ => storage);
        var cakes = cluster[1].Store.Keyspace("cakes");
        await cakes.PutAsync(1, "cake"u8.ToArray(), Consistency.None, Canceled);
        storage.IsBlindAfterFailedCommit = true;
        storage.CommitsToFail = int.MaxValue;
        await Assert.ThrowsAnyAsync<Exception>(
            () => cakes.PutAsync(2, "cake"u8.ToArray(), Consistency.None, Canceled).AsTask().WaitAsync(TestCluster.Deadline, Canceled));
        storage.CommitsToFail = 0;
        await TestCluster.WaitUntilAsync(() => storage.SnapshotsToFail == 0, "the following snapshot failed, too");
        await cakes.PutAsync(3, "cake"u8.ToArray(), Consistency.None, Canceled).AsTask().WaitAsync(TestCluster.Deadline, Canceled);
        Assert.Equal(2, (await cakes.GetStatisticsAsync(Canceled)).Count);
    }

    [Theory]
    [InlineData(StoreLayout.Format - 1, StorageError.Failed)]
    [InlineData(StoreLayout.Format + 1, StorageError.NewerFormat)]
    public async Task Store_of_another_format_is_refused_by_name_and_left_unchanged(uint format, StorageError error)
    {
        await using var storage = new MemoryStorage();
        var batch = new WriteBatch();
        batch.Put(StoreLayout.FormatKey, BitConverter.GetBytes(format));
        await storage.CommitAsync(batch, Durability.Flushed, Canceled);
        await using var cluster = new TestCluster();
        var refusal = await Assert.ThrowsAsync<StorageException>(() => cluster.AddAsync(1, storage));
        Assert.Equal(error, refusal.Error);
        Assert.Contains($"has format {format}", refusal.Message, StringComparison.Ordinal);
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);
        Assert.Equal(StoreLayout.FormatKey, Assert.Single(await snapshot.ScanAsync(KeyRange.All, ScanDirection.Forward, 10, Canceled)).Key);
    }

    [Theory]
    [InlineData("02", StorageError.NewerFormat, "A newer version wrote it. Update the library.")]
    [InlineData("00", StorageError.Corrupt, "is damaged")]
    public void Stored_document_that_cannot_be_read_is_refused_with_its_cause(string bytes, StorageError error, string cause)
    {
        byte[] key = [1, 0, 1, .. DocumentKey.Of(7).Encoded.Span], stored = [.. Convert.FromHexString(bytes), 0];
        foreach (var read in (Action[])[() => DocumentRecord.Parse(key, stored.AsMemory()), () => DocumentRecord.View(key, stored)])
        {
            var refusal = Assert.Throws<StorageException>(read);
            Assert.Equal(error, refusal.Error);
            Assert.Contains(cause, refusal.Message, StringComparison.Ordinal);
            Assert.Equal(error == StorageError.Corrupt, refusal.Message.Contains("damaged", StringComparison.Ordinal));
        }
    }

    static async Task<int> CountAsync(FaultyStorage storage, KeyRange range)
    {
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);
        return await snapshot.ReadAllAsync(range, Canceled).CountAsync(Canceled);
    }
}
