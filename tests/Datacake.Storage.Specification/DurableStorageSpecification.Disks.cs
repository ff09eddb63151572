namespace Datacake.Storage.Specification;

public abstract partial class DurableStorageSpecification
{
    const int BatchBytes = 100_000;

    [Theory]
    [InlineData(Durability.Buffered)]
    [InlineData(Durability.Flushed)]
    public async Task A_commit_to_a_full_disk_fails_and_the_store_stays_readable_and_recovers(Durability durability)
    {
        using SmallDisk disk = SmallDisk.Mount(megabytes: 16);
        string ballast = disk["ballast"];
        File.WriteAllBytes(ballast, new byte[4 * 1024 * 1024]);
        string path = disk["store"];
        var expected = new SortedSet<string>(StringComparer.Ordinal);
        await using (IStorage storage = Open(path))
        {
            Assert.True(await TryCommitPairAsync(storage, 0, BatchBytes, durability, expected));
            using IStorageSnapshot before = await storage.OpenSnapshotAsync();
            int number = 1;
            while (await TryCommitPairAsync(storage, number, BatchBytes, durability, expected))
                Assert.InRange(++number, 0, 16 * 1024 * 1024 / BatchBytes);
            Assert.InRange(number, 10, 16 * 1024 * 1024 / BatchBytes);

            // However often it is tried, small batches may still fit and large ones do not.
            for (int i = 1; i <= 20; i++)
                await TryCommitPairAsync(storage, number + i, i % 2 == 0 ? BatchBytes : 100, durability, expected);
            using IStorageSnapshot after = await storage.OpenSnapshotAsync();
            Assert.Equal(expected, await KeysAsync(after));
            Assert.Equal(["0000/0", "0000/1"], await KeysAsync(before));

            File.Delete(ballast);
            for (int i = 21; i <= 25; i++)
                Assert.True(await TryCommitPairAsync(storage, number + i, BatchBytes, durability, expected));
            using IStorageSnapshot later = await storage.OpenSnapshotAsync();
            Assert.Equal(expected, await KeysAsync(later));
        }
        await using IStorage again = Open(path);
        using IStorageSnapshot last = await again.OpenSnapshotAsync();
        Assert.Equal(expected, await KeysAsync(last));
    }

    [Fact]
    public async Task A_backup_and_a_compaction_that_do_not_fit_on_the_disk_fail_and_change_nothing()
    {
        using SmallDisk disk = SmallDisk.Mount(megabytes: 16);
        await using IDurableStorage storage = Open(disk["store"]);
        var expected = new SortedSet<string>(StringComparer.Ordinal);
        for (int number = 0; number < 60; number++)
            Assert.True(await TryCommitPairAsync(storage, number, BatchBytes, Durability.Flushed, expected));
        File.WriteAllBytes(disk["ballast"], new byte[(int)new DriveInfo(Path.GetDirectoryName(disk["store"])!).AvailableFreeSpace - 2 * 1024 * 1024]);

        StorageException failure = await Assert.ThrowsAsync<StorageException>(async () => await storage.BackUpAsync(disk["backup"]));
        Assert.Equal(StorageError.Full, failure.Error);
        Assert.False(Path.Exists(disk["backup"]));
        // Some providers need less room for the compaction than two copies take.
        if (await Record.ExceptionAsync(async () => await storage.CompactAsync()) is { } exception)
        {
            failure = Assert.IsType<StorageException>(exception);
            Assert.Equal(StorageError.Full, failure.Error);
            Assert.Contains(disk["store"], failure.Message, StringComparison.Ordinal);
        }
        File.Delete(disk["ballast"]);
        Assert.True(await TryCommitPairAsync(storage, 60, BatchBytes, Durability.Flushed, expected));
        using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync();
        Assert.Equal(expected, await KeysAsync(snapshot));
    }

    [Fact]
    public async Task A_read_only_path_is_refused_by_name()
    {
        Assert.SkipUnless(IsFile, "The store is not a file.");
        using SmallDisk disk = SmallDisk.Mount(megabytes: 16);
        await using (Open(disk["store"])) { }
        disk.MakeReadOnly();
        foreach (string path in (string[])[disk["store"], disk["new"], Path.Combine(disk["directory"], "new")])
        {
            StorageException refusal = Assert.Throws<StorageException>(() => Open(path));
            Assert.Equal(StorageError.Inaccessible, refusal.Error);
            Assert.Contains(path, refusal.Message, StringComparison.Ordinal);
        }
        await using IDurableStorage elsewhere = Open(StoragePath + "-2");
        StorageException failure = await Assert.ThrowsAsync<StorageException>(async () => await elsewhere.BackUpAsync(disk["backup"]));
        Assert.Equal(StorageError.Inaccessible, failure.Error);
    }

    /// <summary>Commits two large entries. Returns false if there is no room, after checking the error.</summary>
    static async Task<bool> TryCommitPairAsync(IStorage storage, int number, int bytes, Durability durability, SortedSet<string> committed)
    {
        var batch = new WriteBatch();
        string[] keys = [$"{number:D4}/0", $"{number:D4}/1"];
        foreach (string key in keys)
            batch.Put(Bytes(key), new byte[bytes / 2]);
        try
        {
            await storage.CommitAsync(batch, durability);
            committed.UnionWith(keys);
            return true;
        }
        catch (StorageException failure)
        {
            Assert.Equal(StorageError.Full, failure.Error);
            Assert.Contains(storage.Description, failure.Message, StringComparison.Ordinal);
            // The remedy is that of a full disk, not of a store that has reached its size limit.
            Assert.Contains("disk", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("MaxFileBytes", failure.Message, StringComparison.Ordinal);
            return false;
        }
    }

    static async Task<IEnumerable<string>> KeysAsync(IStorageSnapshot snapshot) =>
        (await ScanAsync(snapshot, KeyRange.All)).Select(entry => entry.Split('=')[0]);
}
