using System.Collections.Immutable;
using CsCheck;
using Datacake.Crdt;
using Datacake.EventualConsistency.Caching;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Lmdb;
using Datacake.Sqlite;
using Datacake.Storage;
using static Datacake.EventualConsistency.Tests.Caching.DocumentCacheTests;

namespace Datacake.EventualConsistency.Tests.Caching;

/// <summary>Documents read through a cache, compared with the storage of the same snapshot. Documents compete for the few slots of the cache.</summary>
public sealed class CachedStorageTests : IDisposable
{
    const long Capacity = 16 * 1024;
    const int Keys = 120;

    static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("DATACAKE_CACHE_ROUNDS"), out int rounds) ? rounds : 1;

    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("datacake-cache-");

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    abstract record Step
    {
        /// <summary>A commit that writes versions of documents; version 0 removes a document. The commit may fail before or after the storage has made it.</summary>
        public sealed record Commit((int Key, int Version)[] Writes, bool FailsBefore, bool FailsAfter) : Step;

        public sealed record OpenSnapshot : Step;

        public sealed record CloseSnapshot(int Which) : Step;

        public sealed record Read(int Which, int Key) : Step;

        public sealed record ReadMany(int Which, int[] Keys) : Step;
    }

    static readonly Gen<int> GenKey = Gen.Frequency((3, Gen.Int[0, 7]), (2, Gen.Int[0, Keys - 1]));

    static readonly Gen<Step> GenStep = Gen.Frequency(
        (6, Gen.Select(Gen.Select(GenKey, Gen.Int[0, 9]).Array[1, 12], Gen.Int[0, 9], Step (writes, fate) =>
            new Step.Commit(writes, FailsBefore: fate == 0, FailsAfter: fate == 1))),
        (4, Gen.Const<Step>(new Step.OpenSnapshot())),
        (2, Gen.Int[0, 9].Select(Step (which) => new Step.CloseSnapshot(which))),
        (12, Gen.Select(Gen.Int[0, 9], GenKey, Step (which, key) => new Step.Read(which, key))),
        (12, Gen.Select(Gen.Int[0, 9], GenKey.Array[0, 60], Step (which, keys) => new Step.ReadMany(which, keys))));

    [Theory]
    [InlineData("memory", 400)]
    [InlineData("sqlite", 30)]
    [InlineData("lmdb", 30)]
    public async Task Snapshot_shows_the_documents_of_its_moment_under_any_sequence_of_operations(string provider, int sequences)
    {
        int number = 0;
        await GenStep.Array[1, 120].SampleAsync(
            async steps =>
            {
                await using var storage = new UnsteadyStorage(Open(provider, $"model-{Interlocked.Increment(ref number)}"));
                await CompareWithModelAsync(new CachedStorage(storage, new DocumentCache(Capacity)), storage, steps);
            },
            iter: sequences * Rounds,
            print: steps => string.Join(Environment.NewLine, steps.Select(step => step.ToString())));
    }

    [Theory]
    [InlineData("memory", 4_000)]
    [InlineData("sqlite", 1_000)]
    [InlineData("lmdb", 400)]
    public async Task Readers_see_their_own_snapshots_during_concurrent_reads_and_commits(string provider, int commits)
    {
        commits *= Rounds;
        await using var inner = Open(provider, "concurrent");
        var storage = new CachedStorage(inner, new DocumentCache(Capacity));
        int started = 0;
        long served = 0;
        var readers = Enumerable.Range(0, 3).Select(reader => Task.Run(() => ReadWhileAsync(new Random(reader)), Canceled)).ToArray();
        var random = new Random(99);
        for (int commit = 1; commit <= commits; commit++)
        {
            var batch = new WriteBatch();
            // Most writes go to a few of the keys, as most reads do.
            for (int i = 0; i < 3; i++)
                batch.Put(Key(random.Next(random.Next(2) == 0 ? 8 : Keys)), Version(commit).Encoded);
            Volatile.Write(ref started, commit);
            await storage.CommitAsync(batch, Durability.Buffered, Canceled);
        }
        Volatile.Write(ref started, -1);
        await Task.WhenAll(readers);
        Assert.True(Interlocked.Read(ref served) > 0, "No document was ever served from the cache.");

        async Task ReadWhileAsync(Random random)
        {
            using var page = new DocumentPage();
            var snapshots = new Queue<CachedSnapshot>();
            // On a busy machine, the readers may start late, so that some reads come after the commits.
            for (int round = 0; round < 20 || Volatile.Read(ref started) >= 0; round++)
            {
                snapshots.Enqueue((CachedSnapshot)await storage.OpenSnapshotAsync(Canceled));
                // Older snapshots keep reading beside newer ones.
                for (int i = 0; i < 24; i++)
                {
                    var snapshot = random.Next(3) == 0 ? snapshots.Peek() : snapshots.Last();
                    byte[] key = Key(random.Next(random.Next(2) == 0 ? 8 : Keys));
                    var document = await snapshot.ReadAsync(key, Canceled);
                    Assert.Equal(await StoredAsync(snapshot, key), document);
                    if (ReferenceEquals(document, await snapshot.ReadAsync(key, Canceled)) && !ReferenceEquals(document, Document.Nothing))
                        Interlocked.Increment(ref served);
                }
                await AssertReadsManyAsync(snapshots.Last(), [.. Enumerable.Range(0, 20).Select(_ => random.Next(Keys))], page);
                if (snapshots.Count > 3)
                    snapshots.Dequeue().Dispose();
            }
            foreach (var snapshot in snapshots)
                snapshot.Dispose();
        }
    }

    [Fact]
    public async Task Disposed_snapshot_returns_no_document()
    {
        await using var storage = new CachedStorage(new MemoryStorage(), new DocumentCache(Capacity));
        var batch = new WriteBatch();
        batch.Put(Key(1), Version(1).Encoded);
        await storage.CommitAsync(batch, Durability.Buffered, Canceled);
        var snapshot = (CachedSnapshot)await storage.OpenSnapshotAsync(Canceled);
        Assert.Equal(Version(1), await snapshot.ReadAsync(Key(1), Canceled));

        snapshot.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await snapshot.ReadAsync(Key(1), Canceled));
    }

    [Fact]
    public async Task Storage_is_cached_unless_the_cache_is_turned_off()
    {
        await using var file = Open("sqlite", "one");
        Assert.IsType<CachedStorage>(CachedStorage.Over(file, Capacity));
        Assert.Same(file, CachedStorage.Over(file, capacity: 0));
    }

    public void Dispose() => _directory.Delete(recursive: true);

    IStorage Open(string provider, string name) => provider switch
    {
        "memory" => new MemoryStorage(),
        "sqlite" => new SqliteStorage(Path.Combine(_directory.FullName, name)),
        _ => new LmdbStorage(Path.Combine(_directory.FullName, name)),
    };

    static async Task CompareWithModelAsync(CachedStorage storage, UnsteadyStorage unsteady, Step[] steps)
    {
        var model = ImmutableDictionary<int, Document>.Empty;
        var snapshots = new List<(CachedSnapshot Actual, ImmutableDictionary<int, Document> Expected)>();
        using var page = new DocumentPage();
        await OpenAsync();
        foreach (var step in steps)
        {
            switch (step)
            {
                case Step.Commit commit:
                    var batch = new WriteBatch();
                    foreach (var (key, version) in commit.Writes)
                    {
                        if (version > 0)
                            batch.Put(Key(key), Version(version).Encoded);
                        else
                            batch.Delete(Key(key));
                    }
                    (unsteady.FailsBefore, unsteady.FailsAfter) = (commit.FailsBefore, commit.FailsAfter);
                    var failure = await Record.ExceptionAsync(async () => await storage.CommitAsync(batch, Durability.Buffered, Canceled));
                    Assert.Equal(commit.FailsBefore || commit.FailsAfter, failure is StorageException);
                    foreach (var (key, version) in commit.FailsBefore ? [] : commit.Writes)
                        model = version > 0 ? model.SetItem(key, Version(version)) : model.Remove(key);
                    break;
                case Step.OpenSnapshot:
                    await OpenAsync();
                    break;
                case Step.CloseSnapshot(var which) when snapshots.Count > 1:
                    snapshots[which % snapshots.Count].Actual.Dispose();
                    snapshots.RemoveAt(which % snapshots.Count);
                    break;
                case Step.Read(var which, var key):
                    var (actual, expected) = snapshots[which % snapshots.Count];
                    Assert.Equal(expected.GetValueOrDefault(key, Document.Nothing), await actual.ReadAsync(Key(key), Canceled));
                    break;
                case Step.ReadMany(var which, var keys):
                    (actual, expected) = snapshots[which % snapshots.Count];
                    await actual.ReadManyAsync(StorageKeys(keys), Cleared(page), Canceled);
                    Assert.Equal(keys.Where(expected.ContainsKey).Select(key => $"{Convert.ToHexString(Key(key)[3..])} {expected[key]}"), Shown(page));
                    break;
            }
        }
        foreach (var (snapshot, _) in snapshots)
            snapshot.Dispose();

        async Task OpenAsync() => snapshots.Add(((CachedSnapshot)await storage.OpenSnapshotAsync(Canceled), model));
    }

    static async Task AssertReadsManyAsync(CachedSnapshot snapshot, int[] keys, DocumentPage page)
    {
        var expected = new List<string>();
        foreach (int key in keys)
        {
            if (await StoredAsync(snapshot, Key(key)) is var document && !ReferenceEquals(document, Document.Nothing))
                expected.Add($"{Convert.ToHexString(Key(key)[3..])} {document}");
        }
        await snapshot.ReadManyAsync(StorageKeys(keys), Cleared(page), Canceled);
        Assert.Equal(expected, Shown(page));
    }

    /// <summary>Reads a document from the storage itself, without the cache.</summary>
    static async Task<Document> StoredAsync(CachedSnapshot snapshot, byte[] key) =>
        await snapshot.GetAsync(key, Canceled) is { } bytes ? Document.Parse(bytes.ToArray()) : Document.Nothing;

    static ReadOnlyMemory<byte>[] StorageKeys(int[] keys) => [.. keys.Select(key => new ReadOnlyMemory<byte>(Key(key)))];

    static DocumentPage Cleared(DocumentPage page)
    {
        page.EntriesFor(MergePolicy.LastWriterWins, HlcTimestamp.None);
        return page;
    }

    static List<string> Shown(DocumentPage page)
    {
        var shown = new List<string>();
        foreach (var entry in page)
            shown.Add($"{Convert.ToHexString(entry.EncodedKey)} {Document.Parse(entry.Document.Encoded.ToArray())}");
        return shown;
    }

    /// <summary>A storage whose next commit fails before or after it is made.</summary>
    sealed class UnsteadyStorage(IStorage storage) : IStorage
    {
        public bool FailsBefore { get; set; }

        public bool FailsAfter { get; set; }

        public string Description => storage.Description;

        public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) => storage.OpenSnapshotAsync(cancellationToken);

        public async ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
        {
            if (FailsBefore)
                throw new StorageException(StorageError.Full, "The disk is full.");
            await storage.CommitAsync(batch, durability, cancellationToken);
            if (FailsAfter)
                throw new StorageException(StorageError.Failed, "The disk does not answer any more.");
        }

        public ValueTask DisposeAsync() => storage.DisposeAsync();
    }
}
