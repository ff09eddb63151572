using System.Diagnostics;
using CsCheck;
using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Sqlite.Tests;

/// <summary>Tests of a SQLite file that apply to no other store.</summary>
public sealed class SqliteFileTests : IDisposable
{
    readonly TemporaryDirectory _directory = new();

    string Path => _directory["store.db"];

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_directory_of_a_new_file_is_created()
    {
        string path = System.IO.Path.Combine(_directory["a"], "b", "store.db");
        await using var storage = new SqliteStorage(path);
        Assert.True(File.Exists(path));
        Assert.Contains(path, storage.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_its_owner_can_read_a_new_file()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has access control lists instead of the permissions of Unix.");
            return;
        }
        await using var storage = new SqliteStorage(Path);
        var batch = new WriteBatch();
        batch.Put("key"u8.ToArray(), "value"u8.ToArray());
        await storage.CommitAsync(batch, Durability.Flushed, Cancellation);
        foreach (string file in Directory.GetFiles(System.IO.Path.GetDirectoryName(Path)!))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Theory]
    [InlineData(FileFormat.Version + 1, StorageError.NewerFormat)]
    [InlineData(FileFormat.Version - 1, StorageError.Failed)]
    public async Task A_file_of_another_format_is_refused_by_name(long version, StorageError error)
    {
        await using (new SqliteStorage(Path)) { }
        using (Connection connection = Connect())
            connection.Execute($"PRAGMA user_version = {version}");
        StorageException refusal = Assert.Throws<StorageException>(() => new SqliteStorage(Path));
        Assert.Equal(error, refusal.Error);
        Assert.Contains($"format version {version}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(Path, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_of_another_program_is_refused_and_left_unchanged()
    {
        using (Connection connection = Connect())
            connection.Execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");
        byte[] before = File.ReadAllBytes(Path);
        StorageException refusal = Assert.Throws<StorageException>(() => new SqliteStorage(Path));
        Assert.Equal(StorageError.Foreign, refusal.Error);
        Assert.Equal(before, File.ReadAllBytes(Path));
    }

    [Fact]
    public void A_database_with_the_mark_of_another_program_is_refused()
    {
        using (Connection connection = Connect())
            connection.Execute("PRAGMA application_id = 12345");
        Assert.Equal(StorageError.Foreign, Assert.Throws<StorageException>(() => new SqliteStorage(Path)).Error);
    }

    [Fact]
    public void A_file_that_is_not_a_database_is_refused_and_left_unchanged()
    {
        byte[] text = [.. Enumerable.Repeat((byte)'x', 10_000)];
        File.WriteAllBytes(Path, text);
        StorageException refusal = Assert.Throws<StorageException>(() => new SqliteStorage(Path));
        Assert.Equal(StorageError.Corrupt, refusal.Error);
        Assert.Equal(text, File.ReadAllBytes(Path));
    }

    [Fact]
    public async Task A_file_that_was_refused_can_be_opened_once_the_cause_is_gone()
    {
        File.WriteAllText(Path, new string('x', 10_000));
        Assert.Throws<StorageException>(() => new SqliteStorage(Path));
        File.Delete(Path);
        await using var storage = new SqliteStorage(Path);
        await PutAsync(storage, "a", 1);
    }

    [Fact]
    public void A_directory_is_refused_as_a_file()
    {
        Directory.CreateDirectory(Path);
        Assert.Equal(StorageError.Inaccessible, Assert.Throws<StorageException>(() => new SqliteStorage(Path)).Error);
    }

    [Fact]
    public async Task A_damaged_file_causes_no_failure_other_than_a_reported_one()
    {
        await using (var storage = new SqliteStorage(Path))
        {
            for (int i = 0; i < 200; i++)
                await PutAsync(storage, $"{i}", i % 10 == 0 ? 20_000 : 300);
        }
        byte[] sound = File.ReadAllBytes(Path);
        int number = 0;
        await Gen.Select(Gen.Int[0, sound.Length - 1], Gen.Byte).Array[1, 50].SampleAsync(
            async changes =>
            {
                string path = _directory[$"damaged-{Interlocked.Increment(ref number)}.db"];
                byte[] damaged = [.. sound];
                foreach ((int place, byte value) in changes)
                    damaged[place] = value;
                await File.WriteAllBytesAsync(path, damaged, Cancellation);
                try
                {
                    await using var storage = new SqliteStorage(path);
                    using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation);
                    KeyRange range = KeyRange.All;
                    int pages = 0;
                    // Damaged keys can be out of order. Then the scan may go in circles, and the loop stops it.
                    while (pages++ < 10 && await snapshot.ScanAsync(range, ScanDirection.Forward, 100, Cancellation) is { Count: > 0 } page)
                        range = range.After(page[^1].Key);
                    await PutAsync(storage, "new", 300);
                }
                catch (StorageException exception)
                {
                    Assert.Contains(path, exception.Message, StringComparison.Ordinal);
                }
            },
            iter: 100);
    }

    [Fact]
    public async Task A_misplaced_page_is_detected_when_the_file_is_opened()
    {
        const int PageLength = 4096, Entries = 500;
        await using (var storage = new SqliteStorage(Path))
        {
            for (int i = 0; i < Entries; i++)
                await PutAsync(storage, $"{i:D3}", 300);
        }
        byte[] damaged = File.ReadAllBytes(Path);
        // Neither page is the root or the last page: both are leaves of the tree.
        damaged.AsSpan(10 * PageLength, PageLength).CopyTo(damaged.AsSpan(20 * PageLength));
        File.WriteAllBytes(Path, damaged);

        var refusal = Assert.Throws<StorageException>(() => new SqliteStorage(Path));
        Assert.Equal(StorageError.Corrupt, refusal.Error);
        Assert.Contains(Path, refusal.Message, StringComparison.Ordinal);
        await using var trusting = new SqliteStorage(Path, new SqliteStorageOptions { CheckOnOpen = false });
        int found = 0;
        for (int i = 0; i < Entries; i++)
            found += await LengthAsync(trusting, $"{i:D3}") is null ? 0 : 1;
        Assert.InRange(found, 1, Entries - 1);
    }

    [Fact]
    public async Task A_commit_that_does_not_fit_changes_nothing_and_the_store_stays_usable()
    {
        await using var storage = new SqliteStorage(Path, new SqliteStorageOptions { MaxFileBytes = 256 * 1024 });
        await PutAsync(storage, "a", 100_000);
        await PutAsync(storage, "b", 10);

        var batch = new WriteBatch();
        batch.Put("b"u8.ToArray(), new byte[20]);
        batch.Put("c"u8.ToArray(), new byte[500_000]);
        StorageException failure = await Assert.ThrowsAsync<StorageException>(
            async () => await storage.CommitAsync(batch, Durability.Flushed, Cancellation));
        Assert.Equal(StorageError.Full, failure.Error);
        Assert.Equal(10, await LengthAsync(storage, "b"));
        Assert.Null(await LengthAsync(storage, "c"));

        await PutAsync(storage, "d", 10_000);
        Assert.Equal(10_000, await LengthAsync(storage, "d"));
        Assert.Equal(100_000, await LengthAsync(storage, "a"));
    }

    [Fact]
    public async Task A_write_lock_of_another_program_is_reported_and_the_store_stays_usable()
    {
        await using var storage = new SqliteStorage(Path, new SqliteStorageOptions { BusyTimeout = TimeSpan.Zero });
        using Connection other = Connect();
        other.Execute("BEGIN IMMEDIATE");
        StorageException failure = await Assert.ThrowsAsync<StorageException>(() => PutAsync(storage, "a", 10));
        Assert.Equal(StorageError.AlreadyOpen, failure.Error);
        Assert.Null(await LengthAsync(storage, "a"));

        other.Execute("ROLLBACK");
        await PutAsync(storage, "a", 10);
        Assert.Equal(10, await LengthAsync(storage, "a"));
    }

    [Fact]
    public async Task A_commit_waits_for_another_program_that_writes_to_the_file()
    {
        var timeout = TimeSpan.FromMilliseconds(50);
        await using var storage = new SqliteStorage(Path, new SqliteStorageOptions { BusyTimeout = timeout });
        // After this put the writer holds a read transaction, under which SQLite itself does not wait.
        await PutAsync(storage, "a", 10);
        using Connection other = Connect();
        other.Execute("BEGIN IMMEDIATE");
        long start = Stopwatch.GetTimestamp();
        await Assert.ThrowsAsync<StorageException>(() => PutAsync(storage, "a", 20));
        Assert.True(Stopwatch.GetElapsedTime(start) >= timeout, "The commit failed at once.");

        other.Execute("ROLLBACK");
        await PutAsync(storage, "a", 30);
        Assert.Equal(30, await LengthAsync(storage, "a"));
    }

    [Fact]
    public async Task A_flushed_batch_that_changes_nothing_still_flushes_the_batches_before_it()
    {
        await using var storage = new SqliteStorage(Path);
        await PutAsync(storage, "a", 10);
        long before = new FileInfo(Path + "-wal").Length;
        await storage.CommitAsync(new WriteBatch(), Durability.Flushed, Cancellation);
        long flushed = new FileInfo(Path + "-wal").Length;
        Assert.True(flushed > before, "The batch was not flushed. SQLite syncs its log only together with a page that it writes to the log.");
        await storage.CommitAsync(new WriteBatch(), Durability.Flushed, Cancellation);
        Assert.Equal(flushed, new FileInfo(Path + "-wal").Length);
    }

    [Fact]
    public async Task Large_values_leave_nothing_behind_when_they_are_replaced_or_deleted()
    {
        await using var storage = new SqliteStorage(Path);
        foreach (int length in (int[])[100_000, 50_000, 10, 100_000, 10])
            await PutAsync(storage, "replaced", length);
        await PutAsync(storage, "deleted", 100_000);
        await PutAsync(storage, "kept", 100_000);
        await PutAsync(storage, "empty", 0);
        var batch = new WriteBatch();
        batch.Delete("deleted"u8.ToArray());
        batch.Delete("empty"u8.ToArray());
        await storage.CommitAsync(batch, Durability.Buffered, Cancellation);

        using Connection connection = Connect();
        Assert.Equal(1, connection.QueryInteger("SELECT count(*) FROM large_values"));
        Assert.Equal(2, connection.QueryInteger("SELECT count(*) FROM entries"));
    }

    [Fact]
    public async Task An_entry_whose_large_value_is_missing_can_be_replaced_and_deleted()
    {
        await using (var storage = new SqliteStorage(Path))
        {
            await PutAsync(storage, "replaced", 100_000);
            await PutAsync(storage, "deleted", 100_000);
        }
        using (Connection connection = Connect())
            connection.Execute("DELETE FROM large_values");
        await using var again = new SqliteStorage(Path);
        var batch = new WriteBatch();
        batch.Put("replaced"u8.ToArray(), new byte[7]);
        batch.Delete("deleted"u8.ToArray());
        await again.CommitAsync(batch, Durability.Buffered, Cancellation);
        Assert.Equal(7, await LengthAsync(again, "replaced"));
        await again.CheckAsync(Cancellation);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(65536)]
    public async Task Entries_of_every_size_around_the_page_are_read_back(int pageSize)
    {
        await using var storage = new SqliteStorage(Path, new SqliteStorageOptions { PageSize = pageSize });
        using Connection connection = Connect();
        Assert.Equal(pageSize, connection.QueryInteger("PRAGMA page_size"));
        int border = FileFormat.MaxEntryBytes(pageSize);
        int[] lengths = [.. Enumerable.Range(border - 5, 10).Where(length => length >= 0), pageSize - 1, pageSize, pageSize + 1];
        foreach (int length in lengths)
            await PutAsync(storage, $"{length}", length);
        foreach (int length in lengths)
            Assert.Equal(length, await LengthAsync(storage, $"{length}"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task More_snapshots_can_be_open_than_there_are_pooled_readers(int maxPooledReaders)
    {
        await using var storage = new SqliteStorage(Path, new SqliteStorageOptions { MaxPooledReaders = maxPooledReaders });
        await PutAsync(storage, "a", 7);
        for (int round = 0; round < 3; round++)
        {
            List<IStorageSnapshot> snapshots = [];
            for (int i = 0; i < 10; i++)
                snapshots.Add(await storage.OpenSnapshotAsync(Cancellation));
            foreach (IStorageSnapshot snapshot in snapshots)
            {
                Assert.Equal(7, (await snapshot.GetAsync("a"u8.ToArray(), Cancellation))!.Value.Length);
                snapshot.Dispose();
            }
        }
    }

    [Fact]
    public async Task A_snapshot_stays_readable_when_its_store_is_closed_and_reopened()
    {
        var first = new SqliteStorage(Path);
        await PutAsync(first, "a", 7);
        using IStorageSnapshot snapshot = await first.OpenSnapshotAsync(Cancellation);
        await first.DisposeAsync();
        await using var second = new SqliteStorage(Path);
        await PutAsync(second, "a", 8);
        Assert.Equal(7, (await snapshot.GetAsync("a"u8.ToArray(), Cancellation))!.Value.Length);
        Assert.Equal(8, await LengthAsync(second, "a"));
    }

    Connection Connect()
    {
        // A store does this before it opens its first connection; here, a test may come first.
        SqliteLibrary.Load("test connection");
        return new(Path, writes: true, "test connection", new SqliteStorageOptions());
    }

    static async Task PutAsync(SqliteStorage storage, string key, int length)
    {
        var batch = new WriteBatch();
        byte[] value = new byte[length];
        new Random(length).NextBytes(value);
        batch.Put(System.Text.Encoding.UTF8.GetBytes(key), value);
        await storage.CommitAsync(batch, Durability.Buffered, Cancellation);
    }

    static async Task<int?> LengthAsync(SqliteStorage storage, string key)
    {
        using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation);
        return (await snapshot.GetAsync(System.Text.Encoding.UTF8.GetBytes(key), Cancellation))?.Length;
    }
}
