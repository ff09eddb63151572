namespace Datacake.Storage.Specification;

public abstract partial class DurableStorageSpecification
{
    string BackupPath => Directory["backup"];

    [Fact]
    public async Task A_backup_contains_everything_committed_before_it()
    {
        await CommitAsync(("", ""), ("a", "1"), ("large", new string('v', 1_000_000)), ("deleted", "1"));
        await CommitAsync(("a", "2"), ("deleted", null));
        List<string> before = await ScanAsync(KeyRange.All);
        await Storage.BackUpAsync(BackupPath);
        await CommitAsync(("a", "3"), ("later", "1"));

        await using (IStorage backup = await OpenBackupAsync(BackupPath))
        {
            using IStorageSnapshot snapshot = await backup.OpenSnapshotAsync();
            Assert.Equal(before, await ScanAsync(snapshot, KeyRange.All));
        }
        Assert.Equal("3", await GetAsync("a"));
    }

    [Fact]
    public async Task A_backup_of_an_empty_store_is_an_empty_store()
    {
        await Storage.BackUpAsync(BackupPath);
        await using IStorage backup = await OpenBackupAsync(BackupPath);
        using IStorageSnapshot snapshot = await backup.OpenSnapshotAsync();
        Assert.Empty(await ScanAsync(snapshot, KeyRange.All));
    }

    [Fact]
    public async Task A_backup_is_consistent_while_others_commit()
    {
        using var stop = new CancellationTokenSource();
        await CommitGenerationAsync(0);
        Task writer = Task.Run(async () =>
        {
            for (int generation = 1; !stop.IsCancellationRequested; generation++)
                await CommitGenerationAsync(generation);
        });
        for (int i = 0; i < 5; i++)
            await Storage.BackUpAsync(Directory[$"backup-{i}"]);
        await stop.CancelAsync();
        await writer;
        for (int i = 0; i < 5; i++)
        {
            await using IStorage backup = await OpenBackupAsync(Directory[$"backup-{i}"]);
            using IStorageSnapshot snapshot = await backup.OpenSnapshotAsync();
            AssertOneGeneration(await ScanAsync(snapshot, KeyRange.All));
        }
    }

    [Fact]
    public async Task A_backup_does_not_replace_an_existing_file_or_store()
    {
        await CommitAsync(("a", "1"));
        File.WriteAllText(BackupPath, "something else");
        StorageException refusal = await Assert.ThrowsAsync<StorageException>(async () => await Storage.BackUpAsync(BackupPath));
        Assert.Equal(StorageError.Inaccessible, refusal.Error);
        Assert.Contains(BackupPath, refusal.Message, StringComparison.Ordinal);
        Assert.Equal("something else", File.ReadAllText(BackupPath));
        if (!IsFile)
            return;
        refusal = await Assert.ThrowsAsync<StorageException>(async () => await Storage.BackUpAsync(StoragePath));
        Assert.Equal(StorageError.Inaccessible, refusal.Error);
        Assert.Equal("1", await GetAsync("a"));
    }

    [Fact]
    public async Task A_restored_store_has_the_contents_of_the_backup_and_the_mark()
    {
        await CommitAsync(("a", "1"), ("b", new string('v', 100_000)));
        List<string> before = await ScanAsync(KeyRange.All);
        await Storage.BackUpAsync(BackupPath);
        string restored = Directory["restored"];
        await RestoreAsync(BackupPath, restored);
        for (int round = 0; round < 2; round++)
        {
            await using IStorage storage = Open(restored);
            using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync();
            Assert.True((await snapshot.GetAsync(RestoreMark.Key))!.Value.IsEmpty);
            Assert.Equal(before, await ScanAsync(snapshot, KeyRange.All.After(RestoreMark.Key)));
        }
    }

    [Fact]
    public async Task A_backup_is_opened_for_reading_and_left_unchanged()
    {
        await CommitAsync(("a", "1"), ("b", new string('v', 100_000)));
        List<string> before = await ScanAsync(KeyRange.All);
        // Characters that mean something in the name of a file elsewhere.
        string path = Directory["50% of a & b #1"];
        await Storage.BackUpAsync(path);
        var files = FilesOf(Path.GetDirectoryName(path)!);

        for (int round = 0; round < 2; round++)
        {
            await using IStorage backup = await Storage.OpenBackupAsync(path);
            using IStorageSnapshot snapshot = await backup.OpenSnapshotAsync();
            using IStorageSnapshot second = await backup.OpenSnapshotAsync();
            Assert.Equal(before, await ScanAsync(snapshot, KeyRange.All));
            Assert.Equal(before, await ScanAsync(second, KeyRange.All));
            Assert.Equal("1", System.Text.Encoding.UTF8.GetString((await snapshot.GetAsync("a"u8.ToArray()))!.Value.Span));
        }

        Assert.Equal(files, FilesOf(Path.GetDirectoryName(path)!));

        static IEnumerable<string> FilesOf(string folder) => [.. new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories)
            .Select(file => $"{file.FullName} {file.Length} {file.LastWriteTimeUtc:o}").Where(file => file.Contains("50%", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];
    }

    [Fact]
    public async Task An_invalid_backup_is_not_opened_and_not_changed()
    {
        await Assert.ThrowsAsync<StorageException>(async () => await Storage.OpenBackupAsync(Directory["nothing"]));
        File.WriteAllText(BackupPath, new string('x', 10_000));
        await Assert.ThrowsAsync<StorageException>(async () => await Storage.OpenBackupAsync(BackupPath));
        Assert.False(Path.Exists(Directory["nothing"]));
        Assert.Equal(new string('x', 10_000), File.ReadAllText(BackupPath));
    }

    [Fact]
    public async Task Restoring_never_replaces_an_open_or_closed_store()
    {
        await CommitAsync(("a", "1"));
        await Storage.BackUpAsync(BackupPath);
        await CommitAsync(("a", "2"));
        StorageException refusal = await Assert.ThrowsAsync<StorageException>(async () => await RestoreAsync(BackupPath, StoragePath));
        Assert.Equal(StorageError.AlreadyOpen, refusal.Error);
        await CloseAsync();
        refusal = await Assert.ThrowsAsync<StorageException>(async () => await RestoreAsync(BackupPath, StoragePath));
        Assert.Equal(StorageError.Inaccessible, refusal.Error);
        await ReopenAsync();
        Assert.Equal("2", await GetAsync("a"));
    }

    [Fact]
    public async Task Restoring_from_an_invalid_backup_fails_and_leaves_nothing()
    {
        string restored = Directory["restored"];
        await Assert.ThrowsAsync<StorageException>(async () => await RestoreAsync(Directory["nothing"], restored));
        File.WriteAllText(BackupPath, new string('x', 10_000));
        await Assert.ThrowsAsync<StorageException>(async () => await RestoreAsync(BackupPath, restored));
        Assert.False(Path.Exists(restored));
    }

    [Fact]
    public async Task Upkeep_with_a_canceled_token_does_nothing()
    {
        await CommitAsync(("a", "1"));
        var canceled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Storage.BackUpAsync(BackupPath, canceled));
        if (CanCompact)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Storage.CompactAsync(canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Storage.CheckAsync(canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Storage.GetSizeOnDiskAsync(canceled));
        Assert.False(Path.Exists(BackupPath));
        Assert.Equal("1", await GetAsync("a"));
    }

    [Fact]
    public async Task Upkeep_of_a_disposed_store_is_refused()
    {
        IDurableStorage storage = Storage;
        await storage.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await storage.BackUpAsync(BackupPath));
        if (CanCompact)
            await Assert.ThrowsAsync<ObjectDisposedException>(async () => await storage.CompactAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await storage.CheckAsync());
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await storage.GetSizeOnDiskAsync());
        Assert.False(Path.Exists(BackupPath));
    }

    [Fact]
    public async Task Compaction_returns_the_space_of_deleted_entries_and_changes_nothing_else()
    {
        if (!CanCompact)
        {
            await Assert.ThrowsAsync<PlatformNotSupportedException>(async () => await Storage.CompactAsync());
            return;
        }
        const int Bytes = 30_000;
        await CommitAsync([.. Enumerable.Range(0, 200).Select(i => ($"{i:D3}", (string?)new string('v', Bytes)))]);
        await CommitAsync([.. Enumerable.Range(0, 190).Select(i => ($"{i:D3}", (string?)null))]);
        List<string> before = await ScanAsync(KeyRange.All);
        Assert.True(await Storage.GetSizeOnDiskAsync() > 200 * Bytes, "The deletes already returned the space.");

        await Storage.CompactAsync();
        Assert.InRange(await Storage.GetSizeOnDiskAsync(), 10 * Bytes, 50 * Bytes);
        Assert.Equal(before, await ScanAsync(KeyRange.All));
        await CommitAsync(("new", "1"));
        await ReopenAsync();
        Assert.Equal([.. before, "new=1"], await ScanAsync(KeyRange.All));
        Assert.InRange(await Storage.GetSizeOnDiskAsync(), 10 * Bytes, 50 * Bytes);
    }

    [Fact]
    public async Task A_snapshot_does_not_change_while_its_store_is_compacted()
    {
        Assert.SkipUnless(CanCompact, "The provider cannot compact an open store on this operating system.");
        await CommitAsync([.. Enumerable.Range(0, 500).Select(i => ($"{i:D3}", (string?)new string('v', 1000)))]);
        IStorageSnapshot snapshot = await Storage.OpenSnapshotAsync();
        List<string> before = await ScanAsync(snapshot, KeyRange.All);
        for (int round = 0; round < 3; round++)
        {
            await CommitAsync([.. Enumerable.Range(100 * round, 100).Select(i => ($"{i:D3}", (string?)null))]);
            await Storage.CompactAsync();
            Assert.Equal(before, await ScanAsync(snapshot, KeyRange.All));
            Assert.Equal(400 - 100 * round, (await ScanAsync(KeyRange.All)).Count);
        }
        snapshot.Dispose();
        await CommitAsync(("new", "1"));
        Assert.Equal(201, (await ScanAsync(KeyRange.All)).Count);
    }

    [Fact]
    public async Task Reads_and_commits_continue_during_compactions()
    {
        Assert.SkipUnless(CanCompact, "The provider cannot compact an open store on this operating system.");
        await CommitGenerationAsync(0);
        using var stop = new CancellationTokenSource();
        Task writer = Task.Run(async () =>
        {
            for (int generation = 1; !stop.IsCancellationRequested; generation++)
                await CommitGenerationAsync(generation);
        });
        Task reader = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
                AssertOneGeneration(await ScanAsync(KeyRange.All, pageSize: 7));
        });
        for (int i = 0; i < 5; i++)
            await Storage.CompactAsync();
        await stop.CancelAsync();
        await Task.WhenAll(writer, reader);
        List<string> before = await ScanAsync(KeyRange.All);
        await ReopenAsync();
        Assert.Equal(before, await ScanAsync(KeyRange.All));
        AssertOneGeneration(before);
    }

    [Fact]
    public async Task A_sound_store_passes_its_check_at_any_time()
    {
        await Storage.CheckAsync();
        var random = new Random(1);
        for (int round = 0; round < 10; round++)
        {
            // Puts, replaces and deletes values on both sides of every page size.
            await CommitAsync([.. Enumerable.Range(0, 100).Select(_ =>
                ($"{random.Next(300):D3}", random.Next(3) == 0 ? null : new string('v', random.Next(random.Next(12_000)))))]);
            await Storage.CheckAsync();
        }
        Task check = Storage.CheckAsync().AsTask();
        do
            await CommitGenerationAsync(random.Next());
        while (!check.IsCompleted);
        await check;
        await ReopenAsync();
        await Storage.CheckAsync();
    }

    [Fact]
    public async Task The_size_on_disk_grows_with_the_stored_data()
    {
        long empty = await Storage.GetSizeOnDiskAsync();
        await CommitAsync(("a", new string('v', 5_000_000)));
        Assert.InRange(await Storage.GetSizeOnDiskAsync(), empty + 5_000_000, empty + 20_000_000);
    }

    Task CommitGenerationAsync(int generation) =>
        CommitAsync([.. Enumerable.Range(0, 100).Select(key => ($"{key:D2}", (string?)$"{generation:D10}" + new string('v', 10 * key)))]);

    static void AssertOneGeneration(List<string> entries)
    {
        Assert.Equal(100, entries.Count);
        Assert.Single(entries.Select(entry => entry.Split('=')[1][..10]).Distinct());
    }
}
