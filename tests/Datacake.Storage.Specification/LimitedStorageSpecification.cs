using Xunit;

namespace Datacake.Storage.Specification;

/// <summary>Tests of a store whose file has a size limit: it refuses batches that do not fit, and accepts batches that make room.</summary>
public abstract class LimitedStorageSpecification : IDisposable
{
    const long MaxFileBytes = 2 * 1024 * 1024;
    const int LargeValue = 60_000;

    readonly TemporaryDirectory _directory = new();

    /// <summary>Opens the store at a path with a size limit for its file.</summary>
    protected abstract IDurableStorage Open(string path, long maxFileBytes);

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Durability.Buffered)]
    [InlineData(Durability.Flushed)]
    public async Task Full_store_accepts_deletes_that_write_tombstones_and_regains_room_every_time(Durability durability)
    {
        await using IDurableStorage storage = Open(_directory["store"], MaxFileBytes);
        for (int round = 0; round < 4; round++)
        {
            int large = await FillAsync(storage, $"{round}/large", LargeValue, durability);
            int small = await FillAsync(storage, $"{round}/small", 1_000, durability);
            Assert.InRange(large, 20, MaxFileBytes / LargeValue);
            Assert.True(small > 0, "No small entry fits into the room that is too small for a large one.");
            Assert.InRange(new FileInfo(_directory["store"]).Length, 0, MaxFileBytes);

            for (int i = 0; i < large; i++)
                await DeleteAsync(storage, $"{round}/large/{i:D6}", durability);
            for (int i = 0; i < small; i++)
                await DeleteAsync(storage, $"{round}/small/{i:D6}", durability);
            Assert.InRange(new FileInfo(_directory["store"]).Length, 0, MaxFileBytes);
            await ForgetAsync(storage, durability);
        }
    }

    [Fact]
    public async Task Full_disk_is_named_as_the_cause_if_the_size_limit_is_not_reached()
    {
        using SmallDisk disk = SmallDisk.Mount(megabytes: 16);
        await using IDurableStorage storage = Open(disk["store"], 64 * 1024 * 1024);
        var batch = new WriteBatch();
        batch.Put("large"u8.ToArray(), new byte[20 * 1024 * 1024]);

        StorageException failure = await Assert.ThrowsAsync<StorageException>(async () => await storage.CommitAsync(batch, Durability.Flushed, Cancellation));

        Assert.Equal(StorageError.Full, failure.Error);
        Assert.Contains("disk", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("MaxFileBytes", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Batch_that_makes_no_room_cannot_use_the_reserve()
    {
        await using IDurableStorage storage = Open(_directory["store"], MaxFileBytes);
        int count = await FillAsync(storage, "large", LargeValue, Durability.Buffered);
        await DeleteAsync(storage, "large/000000", Durability.Buffered);
        Assert.InRange(await FillAsync(storage, "more", LargeValue, Durability.Buffered), 0, 1);

        // Even after many attempts: a refused batch uses no space.
        for (int i = 0; i < 50; i++)
            Assert.Equal(0, await FillAsync(storage, $"again/{i}", LargeValue, Durability.Buffered));
        for (int i = 1; i < count; i++)
            await DeleteAsync(storage, $"large/{i:D6}", Durability.Buffered);
        Assert.InRange(await FillAsync(storage, "then", LargeValue, Durability.Buffered), count - 5, count + 1);
    }

    [Fact]
    public async Task Batch_with_deletes_alone_may_use_the_reserve_without_asking()
    {
        await using IDurableStorage storage = Open(_directory["store"], MaxFileBytes);
        int count = await FillAsync(storage, "large", LargeValue, Durability.Buffered);
        for (int i = 0; i < count; i++)
        {
            var batch = new WriteBatch();
            batch.Delete(KeyOf($"large/{i:D6}"));
            await storage.CommitAsync(batch, Durability.Buffered, Cancellation);
        }
        Assert.InRange(await FillAsync(storage, "then", LargeValue, Durability.Buffered), count - 2, count + 1);
    }

    [Fact]
    public async Task File_above_its_limit_opens_and_accepts_only_deletes_until_it_has_room()
    {
        int count;
        await using (IDurableStorage storage = Open(_directory["store"], MaxFileBytes))
            count = await FillAsync(storage, "large", LargeValue, Durability.Buffered);
        await using (IDurableStorage storage = Open(_directory["store"], MaxFileBytes / 2))
        {
            Assert.Equal(0, await FillAsync(storage, "more", 100, Durability.Buffered));
            for (int i = 0; i < count; i++)
                await DeleteAsync(storage, $"large/{i:D6}", Durability.Buffered);
            Assert.InRange(await FillAsync(storage, "then", LargeValue, Durability.Buffered), count / 5, count);
        }
    }

    [Fact]
    public async Task Full_store_with_open_snapshots_regains_room_when_they_are_disposed()
    {
        await using IDurableStorage storage = Open(_directory["store"], MaxFileBytes);
        int count = await FillAsync(storage, "large", LargeValue, Durability.Buffered);
        int deleted = 0;
        using (await storage.OpenSnapshotAsync(Cancellation))
        {
            while (deleted < count && await TryCommitAsync(storage, Deletion($"large/{deleted:D6}"), Durability.Buffered))
                deleted++;
            Assert.True(deleted > 0, "No delete fits.");
        }
        for (; deleted < count; deleted++)
            await DeleteAsync(storage, $"large/{deleted:D6}", Durability.Buffered);
        Assert.InRange(await FillAsync(storage, "then", LargeValue, Durability.Buffered), count - 5, count + 1);
    }

    /// <inheritdoc cref="DurableStorageSpecification.CanCompact"/>
    protected virtual bool CanCompact => true;

    [Fact]
    public async Task Full_store_can_be_backed_up_and_compacted()
    {
        await using IDurableStorage storage = Open(_directory["store"], MaxFileBytes);
        int count = await FillAsync(storage, "large", LargeValue, Durability.Buffered);
        for (int i = 0; i < count; i++)
            await DeleteAsync(storage, $"large/{i:D6}", Durability.Buffered);
        await FillAsync(storage, "again", LargeValue, Durability.Buffered);
        await storage.BackUpAsync(_directory["backup"], Cancellation);
        if (CanCompact)
            await storage.CompactAsync(Cancellation);
        Assert.True(await TryCommitAsync(storage, Deletion("again/000000"), Durability.Flushed));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _directory.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Puts entries until there is no room. Returns the number of entries.</summary>
    static async Task<int> FillAsync(IStorage storage, string prefix, int valueLength, Durability durability)
    {
        byte[] value = new byte[valueLength];
        Random.Shared.NextBytes(value);
        for (int i = 0; ; i++)
        {
            var batch = new WriteBatch();
            batch.Put(KeyOf($"{prefix}/{i:D6}"), value);
            if (!await TryCommitAsync(storage, batch, durability))
                return i;
            Assert.InRange(i, 0, 100_000);
        }
    }

    static async Task DeleteAsync(IStorage storage, string key, Durability durability) => await storage.CommitAsync(Deletion(key), durability, Cancellation);

    /// <summary>Returns a delete as a replica makes it: a tombstone in the entry's place, and a log record.</summary>
    static WriteBatch Deletion(string key)
    {
        var batch = new WriteBatch { MayUseReserve = true };
        batch.Put(KeyOf(key), new byte[30]);
        batch.Put(KeyOf("log/" + key), new byte[60]);
        return batch;
    }

    /// <summary>Removes the tombstones and the log, a few at a time.</summary>
    static async Task ForgetAsync(IStorage storage, Durability durability)
    {
        while (true)
        {
            var batch = new WriteBatch();
            using (IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation))
            {
                foreach (StorageEntry entry in await snapshot.ScanAsync(KeyRange.All, ScanDirection.Forward, 500, Cancellation))
                    batch.Delete(entry.Key.ToArray());
            }
            if (batch.Count == 0)
                return;
            await storage.CommitAsync(batch, durability, Cancellation);
        }
    }

    static async Task<bool> TryCommitAsync(IStorage storage, WriteBatch batch, Durability durability)
    {
        try
        {
            await storage.CommitAsync(batch, durability, Cancellation);
            return true;
        }
        catch (StorageException failure)
        {
            Assert.Equal(StorageError.Full, failure.Error);
            Assert.Contains(storage.Description, failure.Message, StringComparison.Ordinal);
            // The remedy is that of a size limit, not of a full disk.
            Assert.Contains("MaxFileBytes", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("disk", failure.Message, StringComparison.Ordinal);
            return false;
        }
    }

    static byte[] KeyOf(string key) => System.Text.Encoding.UTF8.GetBytes(key);
}
