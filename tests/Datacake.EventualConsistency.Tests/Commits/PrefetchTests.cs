using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Commits;

/// <summary>Reads of a storage that is reached over a network, before a batch is applied.</summary>
public sealed class PrefetchTests
{
    const int Puts = 100;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Documents_of_all_waiting_transactions_are_read_at_once()
    {
        var storage = new CountingStorage();
        await using var cluster = await TestCluster.StartAsync(1, _ => storage);
        var keyspace = cluster.Stores.Single().Keyspace("cakes");
        for (int i = 0; i < Puts / 2; i++)
            await keyspace.PutAsync(i, "old"u8.ToArray(), cancellationToken: Canceled);

        storage.Close();
        Task first = keyspace.PutAsync(-1, "first"u8.ToArray(), cancellationToken: Canceled).AsTask();
        await Eventually.WaitUntilAsync(() => storage.Waiting > 0, "the first put waits for its commit");
        Task[] others = [.. Enumerable.Range(0, Puts).Select(i => keyspace.PutAsync(i, "new"u8.ToArray(), cancellationToken: Canceled).AsTask())];
        int before = storage.Reads;
        storage.Open();
        await Task.WhenAll([first, .. others]);

        // There may be more than one batch, but there are not as many as puts.
        Assert.InRange(storage.Reads - before, 1, Puts / 4);
        for (int i = 0; i < Puts; i++)
            Assert.NotNull(await keyspace.GetAsync(i, cancellationToken: Canceled));
    }

    /// <summary>A memory store that never completes synchronously, counts its reads, and has commits wait while its gate is closed.</summary>
    sealed class CountingStorage : IStorage
    {
        readonly GatedStorage _storage = new();
        int _reads;

        public string Description => "counting memory store";

        public int Reads => Volatile.Read(ref _reads);

        public int Waiting => _storage.Waiting;

        public void Close() => _storage.Close();

        public void Open() => _storage.Open();

        public async ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) =>
            new Snapshot(this, await _storage.OpenSnapshotAsync(cancellationToken));

        public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default) =>
            _storage.CommitAsync(batch, durability, cancellationToken);

        public ValueTask DisposeAsync() => _storage.DisposeAsync();

        async Task ReadAsync()
        {
            Interlocked.Increment(ref _reads);
            await Task.Yield();
        }

        sealed class Snapshot(CountingStorage storage, IStorageSnapshot snapshot) : IStorageSnapshot
        {
            public async ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
            {
                await storage.ReadAsync();
                return await snapshot.GetAsync(key, cancellationToken);
            }

            public async ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
                KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
            {
                await storage.ReadAsync();
                return await snapshot.ScanAsync(range, direction, maxEntries, cancellationToken);
            }

            public async ValueTask GetManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page, CancellationToken cancellationToken = default)
            {
                await storage.ReadAsync();
                await snapshot.GetManyAsync(keys, page, cancellationToken);
            }

            public void Dispose() => snapshot.Dispose();
        }
    }
}
