using System.Buffers.Binary;
using System.Diagnostics;
using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Sqlite.Tests;

/// <summary>Tests that the write-ahead log stays small.</summary>
public sealed class SqliteLogTests : IDisposable
{
    const int CheckpointBytes = 256 * 1024;
    const int ValueBytes = 10_000;

    // The size at which commits wait for the disk or for readers, plus what two commits add.
    const int MaxLogBytes = 4 * CheckpointBytes + 4 * ValueBytes;

    static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    readonly TemporaryDirectory _directory = new();

    string Path => _directory["store.db"];

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_log_is_moved_into_the_file_in_the_background()
    {
        await using SqliteStorage storage = Open();
        long before = new FileInfo(Path).Length;
        await FillLogAsync(storage);
        // No commit and no snapshot follows that could move the log. Pages that were written several times are moved once.
        await WaitUntilAsync(() => new FileInfo(Path).Length >= before + CheckpointBytes / 4, "the file contains the log");
    }

    [Fact]
    public async Task The_log_starts_again_once_the_file_contains_all_of_it()
    {
        await using SqliteStorage storage = Open();
        await FillLogAsync(storage);
        uint first = LogNumber();
        for (int i = 0; LogNumber() == first; i++)
        {
            Assert.True(i < 10 * CheckpointBytes / ValueBytes, "The log did not start again.");
            await PutAsync(storage, "a");
        }
        Assert.InRange(LogBytes, 1, MaxLogBytes);
    }

    [Theory]
    [InlineData(Durability.Buffered)]
    [InlineData(Durability.Flushed)]
    public async Task The_log_stays_small_under_commits_without_a_pause(Durability durability)
    {
        await using SqliteStorage storage = Open();
        Assert.InRange(await LargestLogAsync(storage, commits: 500, durability), 1, MaxLogBytes);
    }

    [Fact]
    public async Task Closing_waits_for_the_log_to_be_moved_and_removes_it()
    {
        for (int round = 1; round <= 10; round++)
        {
            await using (SqliteStorage storage = Open())
            {
                await PutAsync(storage, $"{round}");
                await FillLogAsync(storage);
            }
            Assert.False(File.Exists(Path + "-wal"));
            await using SqliteStorage again = Open();
            for (int earlier = 1; earlier <= round; earlier++)
                Assert.Equal(ValueBytes, await LengthAsync(again, $"{earlier}"));
            await again.CheckAsync(Cancellation);
        }
    }

    [Fact]
    public async Task The_store_is_compacted_while_its_log_is_being_moved()
    {
        await using SqliteStorage storage = Open();
        await PutAsync(storage, "kept");
        await FillLogAsync(storage);
        await storage.CompactAsync(Cancellation);
        Assert.Equal(0, LogBytes);
        await FillLogAsync(storage);
        Assert.Equal(ValueBytes, await LengthAsync(storage, "kept"));
        await storage.CheckAsync(Cancellation);
    }

    [Fact]
    public async Task The_log_shrinks_repeatedly_while_readers_overlap()
    {
        await using SqliteStorage storage = Open();
        using var stop = new CancellationTokenSource();
        Task[] readers = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(
            async () =>
            {
                IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation);
                while (!stop.IsCancellationRequested)
                {
                    // At every moment a snapshot is open.
                    IStorageSnapshot next = await storage.OpenSnapshotAsync(Cancellation);
                    snapshot.Dispose();
                    snapshot = next;
                    await snapshot.ScanAsync(KeyRange.All, ScanDirection.Forward, 10, Cancellation);
                }
                snapshot.Dispose();
            },
            Cancellation))];
        // The size of the log then depends on when the readers get a processor.
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        await PutAsync(storage, "a");
        uint first = LogNumber();
        while (LogNumber() < first + 3 && !Array.Exists(readers, reader => reader.IsFaulted))
        {
            Assert.False(deadline.IsCancellationRequested, $"In a minute, the log started again {LogNumber() - first} times and has {LogBytes} bytes.");
            await PutAsync(storage, "a");
        }
        await stop.CancelAsync();
        await Task.WhenAll(readers);
    }

    [Fact]
    public async Task The_log_stays_small_while_each_commit_is_made_under_a_snapshot()
    {
        await using SqliteStorage storage = Open();
        long largest = 0;
        for (int i = 0; i < 500; i++)
        {
            using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation);
            largest = Math.Max(largest, await LargestLogAsync(storage, commits: 1));
        }
        Assert.InRange(largest, 1, MaxLogBytes);
    }

    [Fact]
    public async Task The_log_keeps_pages_that_a_snapshot_needs_and_shrinks_afterwards()
    {
        await using SqliteStorage storage = Open();
        await PutAsync(storage, "a", 5);
        using (IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation))
        {
            Assert.True(await LargestLogAsync(storage, commits: 500) > 500 * ValueBytes, "The log started again under a snapshot.");
            Assert.Equal(5, (await snapshot.GetAsync("a"u8.ToArray(), Cancellation))!.Value.Length);
        }
        await LargestLogAsync(storage, commits: 200);
        Assert.InRange(LogBytes, 1, 8 * CheckpointBytes);
    }

    [Fact]
    public async Task A_snapshot_does_not_change_while_the_log_is_moved_and_starts_again()
    {
        await using SqliteStorage storage = Open();
        for (int length = 1; length <= 300; length++)
        {
            await PutAsync(storage, "a", length);
            using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation);
            await PutAsync(storage, "b");
            await PutAsync(storage, "a", ValueBytes);
            Assert.Equal(length, (await snapshot.GetAsync("a"u8.ToArray(), Cancellation))!.Value.Length);
        }
    }

    long LogBytes => new FileInfo(Path + "-wal").Length;

    SqliteStorage Open() => new(Path, new SqliteStorageOptions { CheckpointBytes = CheckpointBytes });

    /// <summary>Returns the number of times that the log has started again, from its header. See "WAL-Header Format" in SQLite's file format.</summary>
    uint LogNumber()
    {
        using var log = new FileStream(Path + "-wal", FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        Span<byte> header = stackalloc byte[16];
        log.ReadExactly(header);
        return BinaryPrimitives.ReadUInt32BigEndian(header[12..]);
    }

    /// <summary>
    /// Commits until the log has just reached the size at which it is moved, counted in frames of pages. The log's file keeps its size when the log
    /// starts again.
    /// </summary>
    async Task FillLogAsync(SqliteStorage storage)
    {
        for (int i = 0; LogBytes < 32 + CheckpointBytes / 4096 * (24 + 4096); i++)
            await PutAsync(storage, $"filling {i}");
    }

    async Task<long> LargestLogAsync(SqliteStorage storage, int commits, Durability durability = Durability.Buffered)
    {
        long largest = 0;
        for (int i = 0; i < commits; i++)
        {
            await PutAsync(storage, $"{i % 100}", durability: durability);
            largest = Math.Max(largest, LogBytes);
        }
        return largest;
    }

    static async Task PutAsync(SqliteStorage storage, string key, int length = ValueBytes, Durability durability = Durability.Buffered)
    {
        var batch = new WriteBatch();
        byte[] value = new byte[length];
        new Random(length).NextBytes(value);
        batch.Put(System.Text.Encoding.UTF8.GetBytes(key), value);
        await storage.CommitAsync(batch, durability, Cancellation);
    }

    static async Task<int?> LengthAsync(SqliteStorage storage, string key)
    {
        using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation);
        return (await snapshot.GetAsync(System.Text.Encoding.UTF8.GetBytes(key), Cancellation))?.Length;
    }

    static async Task WaitUntilAsync(Func<bool> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline, $"This did not happen within {Deadline.TotalSeconds} s: {what}.");
            await Task.Yield();
        }
    }
}
