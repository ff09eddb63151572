using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Lmdb.Tests;

/// <summary>Tests of an LMDB file that apply to no other store.</summary>
public sealed class LmdbFileTests : IDisposable
{
    const int SmallMap = 1024 * 1024;

    readonly TemporaryDirectory _directory = new();

    string Path => _directory["store.mdb"];

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task The_directory_of_a_new_file_is_created()
    {
        string path = System.IO.Path.Combine(_directory["a"], "b", "store.mdb");
        await using var storage = new LmdbStorage(path);
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
        await using var storage = new LmdbStorage(Path);
        await PutAsync(storage, "a", 1000);
        foreach (string file in Directory.GetFiles(System.IO.Path.GetDirectoryName(Path)!))
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task A_new_file_does_not_take_the_space_of_its_map()
    {
        await using var storage = new LmdbStorage(Path);
        await PutAsync(storage, "a", 1000);
        Assert.InRange(new FileInfo(Path).Length, 1, SmallMap);
    }

    [Fact]
    public async Task A_file_of_a_newer_format_is_refused_by_name()
    {
        await using (new LmdbStorage(Path)) { }
        byte[] file = File.ReadAllBytes(Path);
        // A new file has one entry. The version follows its key, perhaps after a zero byte for alignment.
        int place = file.AsSpan().IndexOf("format"u8) + "format".Length;
        if (file[place] == 0)
            place++;
        Assert.Equal(1, file[place]);
        file[place] = 2;
        File.WriteAllBytes(Path, file);

        StorageException refusal = Assert.Throws<StorageException>(() => new LmdbStorage(Path));
        Assert.Equal(StorageError.NewerFormat, refusal.Error);
        Assert.Contains("format version 02", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(Path, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_another_version_of_LMDB_is_refused_by_name()
    {
        await using (new LmdbStorage(Path)) { }
        byte[] file = File.ReadAllBytes(Path);
        byte[] magic = [0xDE, 0xC0, 0xEF, 0xBE];
        int first = file.AsSpan().IndexOf(magic);
        int second = file.AsSpan().LastIndexOf(magic);
        Assert.NotEqual(first, second);
        foreach (int place in (int[])[first, second])
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(place + magic.Length), 77);
        File.WriteAllBytes(Path, file);

        StorageException refusal = Assert.Throws<StorageException>(() => new LmdbStorage(Path));
        Assert.Equal(StorageError.NewerFormat, refusal.Error);
        Assert.Contains("version of LMDB", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_data_of_another_program_is_refused_and_left_unchanged()
    {
        await using (new LmdbStorage(Path)) { }
        byte[] file = File.ReadAllBytes(Path);
        int place = file.AsSpan().IndexOf("format"u8);
        "theirs"u8.CopyTo(file.AsSpan(place));
        File.WriteAllBytes(Path, file);

        Assert.Equal(StorageError.Foreign, Assert.Throws<StorageException>(() => new LmdbStorage(Path)).Error);
        Assert.Equal(file, File.ReadAllBytes(Path));
    }

    [Fact]
    public async Task A_file_that_is_not_an_LMDB_file_is_refused_and_left_unchanged()
    {
        byte[] text = [.. Enumerable.Repeat((byte)'x', 10_000)];
        File.WriteAllBytes(Path, text);
        StorageException refusal = Assert.Throws<StorageException>(() => new LmdbStorage(Path));
        Assert.Equal(StorageError.Corrupt, refusal.Error);
        Assert.Equal(text, File.ReadAllBytes(Path));

        File.Delete(Path);
        await using var storage = new LmdbStorage(Path);
        await PutAsync(storage, "a", 1);
    }

    [Fact]
    public void A_directory_is_refused_as_a_file()
    {
        Directory.CreateDirectory(Path);
        Assert.Equal(StorageError.Inaccessible, Assert.Throws<StorageException>(() => new LmdbStorage(Path)).Error);
    }

    [Fact]
    public async Task The_map_grows_with_the_file()
    {
        await using (var storage = new LmdbStorage(Path, new LmdbStorageOptions { MapBytes = SmallMap }))
        {
            await PutAsync(storage, "in one batch", 10 * SmallMap);
            for (int i = 0; i < 100; i++)
                await PutAsync(storage, $"{i}", SmallMap / 5);
            Assert.Equal(10 * SmallMap, await LengthAsync(storage, "in one batch"));
            for (int i = 0; i < 100; i++)
                Assert.Equal(SmallMap / 5, await LengthAsync(storage, $"{i}"));
        }
        await using var again = new LmdbStorage(Path, new LmdbStorageOptions { MapBytes = SmallMap });
        Assert.Equal(10 * SmallMap, await LengthAsync(again, "in one batch"));
        await PutAsync(again, "more", SmallMap);
    }

    [Fact]
    public async Task The_map_grows_without_changing_open_snapshots()
    {
        await using var storage = new LmdbStorage(Path, new LmdbStorageOptions { MapBytes = SmallMap });
        List<IStorageSnapshot> snapshots = [];
        for (int i = 0; i < 40; i++)
        {
            await PutAsync(storage, $"{i:D2}", SmallMap / 2);
            snapshots.Add(await storage.OpenSnapshotAsync(Cancellation));
        }
        for (int i = 0; i < snapshots.Count; i++)
        {
            Assert.Equal(SmallMap / 2, (await snapshots[i].GetAsync(Encoding.UTF8.GetBytes($"{i:D2}"), Cancellation))!.Value.Length);
            Assert.Null(await snapshots[i].GetAsync(Encoding.UTF8.GetBytes($"{i + 1:D2}"), Cancellation));
            IReadOnlyList<StorageEntry> last = await snapshots[i].ScanAsync(KeyRange.All, ScanDirection.Reverse, 1, Cancellation);
            Assert.Equal($"{i:D2}", Encoding.UTF8.GetString(last[0].Key.Span));
            snapshots[i].Dispose();
        }
    }

    [Fact]
    public async Task Readers_continue_while_the_map_grows()
    {
        const int Entries = 300;
        await using var storage = new LmdbStorage(Path, new LmdbStorageOptions { MapBytes = SmallMap });
        await PutAsync(storage, "000", 100);
        using IStorageSnapshot first = await storage.OpenSnapshotAsync(Cancellation);
        using var stop = new CancellationTokenSource();
        Task[] readers = [.. Enumerable.Range(0, 3).Select(reader => Task.Run(
            async () =>
            {
                int least = 0;
                while (!stop.IsCancellationRequested)
                {
                    Assert.Single(await first.ScanAsync(KeyRange.All, ScanDirection.Forward, 10, Cancellation));
                    using IStorageSnapshot now = await storage.OpenSnapshotAsync(Cancellation);
                    int count = 0;
                    KeyRange range = KeyRange.All;
                    while (await now.ScanAsync(range, ScanDirection.Forward, 1 + reader * 10, Cancellation) is { Count: > 0 } page)
                    {
                        Assert.All(page, entry => Assert.True(entry.Value.Span.IndexOfAnyExcept((byte)0) < 0));
                        count += page.Count;
                        range = range.After(page[^1].Key);
                    }
                    Assert.InRange(count, least, Entries);
                    least = count;
                }
            },
            Cancellation))];
        for (int i = 1; i < Entries; i++)
            await PutAsync(storage, $"{i:D3}", SmallMap / 20 + i);
        await stop.CancelAsync();
        await Task.WhenAll(readers);
        Assert.True(new FileInfo(Path).Length > 10 * SmallMap, "The map did not double several times.");
    }

    [Fact]
    public async Task A_commit_over_the_file_limit_changes_nothing_and_the_store_stays_usable()
    {
        await using var storage = new LmdbStorage(Path, new LmdbStorageOptions { MapBytes = SmallMap, MaxFileBytes = 3 * SmallMap });
        await PutAsync(storage, "a", 2 * SmallMap);
        await PutAsync(storage, "b", 10);

        StorageException failure = await Assert.ThrowsAsync<StorageException>(() => PutAsync(storage, "b", 3 * SmallMap));
        Assert.Equal(StorageError.Full, failure.Error);
        Assert.Contains(nameof(LmdbStorageOptions.MaxFileBytes), failure.Message, StringComparison.Ordinal);
        Assert.Equal(10, await LengthAsync(storage, "b"));

        var batch = new WriteBatch();
        batch.Delete("a"u8.ToArray());
        await storage.CommitAsync(batch, Durability.Flushed, Cancellation);
        await PutAsync(storage, "c", SmallMap / 2);
        await PutAsync(storage, "b", SmallMap);
        Assert.Equal(SmallMap, await LengthAsync(storage, "b"));
    }

    [Fact]
    public async Task A_flushed_batch_that_changes_nothing_still_flushes_the_batches_before_it()
    {
        await using var storage = new LmdbStorage(Path);
        await PutAsync(storage, "a", 10);
        byte[] before = ReadFile();
        await storage.CommitAsync(new WriteBatch(), Durability.Flushed, Cancellation);
        byte[] flushed = ReadFile();
        Assert.NotEqual(before, flushed);
        await storage.CommitAsync(new WriteBatch(), Durability.Flushed, Cancellation);
        Assert.Equal(flushed, ReadFile());
    }

    [Fact]
    public async Task A_snapshot_over_the_limit_is_refused_until_another_one_is_disposed()
    {
        await using var storage = new LmdbStorage(Path, new LmdbStorageOptions { MaxSnapshots = 3 });
        List<IStorageSnapshot> snapshots = [];
        for (int i = 0; i < 3; i++)
            snapshots.Add(await storage.OpenSnapshotAsync(Cancellation));
        StorageException failure = await Assert.ThrowsAsync<StorageException>(async () => await storage.OpenSnapshotAsync(Cancellation));
        Assert.Contains(nameof(LmdbStorageOptions.MaxSnapshots), failure.Message, StringComparison.Ordinal);

        snapshots[0].Dispose();
        snapshots[0] = await storage.OpenSnapshotAsync(Cancellation);
        snapshots.ForEach(snapshot => snapshot.Dispose());
    }

    [Fact]
    public async Task A_closed_store_stays_locked_and_readable_until_its_last_snapshot_is_disposed()
    {
        var first = new LmdbStorage(Path);
        await PutAsync(first, "a", 7);
        IStorageSnapshot snapshot = await first.OpenSnapshotAsync(Cancellation);
        await first.DisposeAsync();
        Assert.Equal(7, (await snapshot.GetAsync("a"u8.ToArray(), Cancellation))!.Value.Length);
        Assert.Equal(StorageError.AlreadyOpen, Assert.Throws<StorageException>(() => new LmdbStorage(Path)).Error);

        snapshot.Dispose();
        await using var second = new LmdbStorage(Path);
        Assert.Equal(7, await LengthAsync(second, "a"));
    }

    [Fact]
    public async Task Values_that_were_read_outlive_the_snapshot_and_the_store()
    {
        ReadOnlyMemory<byte> value;
        await using (var storage = new LmdbStorage(Path))
        {
            await PutAsync(storage, "a", 100_000);
            using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation);
            value = (await snapshot.GetAsync("a"u8.ToArray(), Cancellation))!.Value;
        }
        Assert.Equal(new byte[100_000], value.ToArray());
    }

    [Fact]
    public async Task A_truncated_file_is_refused()
    {
        await using (var storage = new LmdbStorage(Path))
        {
            for (int i = 0; i < 200; i++)
                await PutAsync(storage, $"{i}", i % 10 == 0 ? 20_000 : 300);
        }
        byte[] sound = File.ReadAllBytes(Path);
        foreach (int length in (int[])[10, 4096, 8192, 3 * 4096, sound.Length / 2, sound.Length / 2 + 100])
        {
            File.WriteAllBytes(Path, sound[..length]);
            StorageException refusal = Assert.Throws<StorageException>(() => new LmdbStorage(Path));
            Assert.Equal(StorageError.Corrupt, refusal.Error);
            Assert.Contains(Path, refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_damaged_page_is_found_by_the_check()
    {
        const int PageSize = 4096;
        await using (var storage = new LmdbStorage(Path))
        {
            for (int i = 0; i < 300; i++)
                await PutAsync(storage, $"{i}", i % 10 == 0 ? 20_000 : 300);
        }
        byte[] sound = File.ReadAllBytes(Path);
        int found = 0;
        for (int page = 2; page < sound.Length / PageSize; page++)
        {
            byte[] damaged = [.. sound];
            damaged.AsSpan(page * PageSize, 512).Fill(0xA5);
            string path = _directory["damaged"];
            File.WriteAllBytes(path, damaged);
            using var check = new StructureCheck(path, $"test file '{path}'");
            try
            {
                check.Run(mayLosePages: false, Cancellation);
            }
            catch (StorageException failure)
            {
                Assert.Contains(path, failure.Message, StringComparison.Ordinal);
                found++;
            }
        }
        // Damage is found everywhere except inside large values and in free pages.
        Assert.InRange(found, 300 * 300 / PageSize, sound.Length / PageSize);
    }

    [Fact]
    public async Task Checking_a_damaged_file_ends_with_a_result_or_a_clear_error()
    {
        await using (var storage = new LmdbStorage(Path))
        {
            for (int i = 0; i < 300; i++)
                await PutAsync(storage, $"{i}", i % 10 == 0 ? 20_000 : 30);
            var batch = new WriteBatch();
            for (int i = 0; i < 300; i += 2)
                batch.Delete(Encoding.UTF8.GetBytes($"{i}"));
            await storage.CommitAsync(batch, Durability.Flushed, Cancellation);
        }
        byte[] sound = File.ReadAllBytes(Path);
        int number = 0;
        await Gen.Select(Gen.Int[0, sound.Length - 1], Gen.Byte).Array[1, 50].SampleAsync(
            async changes =>
            {
                string path = _directory[$"damaged-{Interlocked.Increment(ref number)}"];
                byte[] damaged = [.. sound];
                foreach ((int place, byte value) in changes)
                    damaged[place] = value;
                await File.WriteAllBytesAsync(path, damaged, Cancellation);
                try
                {
                    using var check = new StructureCheck(path, $"test file '{path}'");
                    check.Run(mayLosePages: false, Cancellation);
                }
                catch (StorageException failure)
                {
                    Assert.Contains(path, failure.Message, StringComparison.Ordinal);
                }
                File.Delete(path);
            },
            iter: 200);
    }

    byte[] ReadFile()
    {
        using var file = new FileStream(Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        byte[] bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }

    static async Task PutAsync(LmdbStorage storage, string key, int length)
    {
        var batch = new WriteBatch();
        batch.Put(Encoding.UTF8.GetBytes(key), new byte[length]);
        await storage.CommitAsync(batch, Durability.Buffered, Cancellation);
    }

    static async Task<int?> LengthAsync(LmdbStorage storage, string key)
    {
        using IStorageSnapshot snapshot = await storage.OpenSnapshotAsync(Cancellation);
        return (await snapshot.GetAsync(Encoding.UTF8.GetBytes(key), Cancellation))?.Length;
    }
}
