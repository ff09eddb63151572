using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Fixtures;

/// <summary>A memory store that never completes synchronously, like a store that is reached over a network.</summary>
sealed class YieldingStorage : IStorage
{
    readonly MemoryStorage _storage = new();

    public string Description => "yielding memory store";

    public async ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        return new Snapshot(await _storage.OpenSnapshotAsync(cancellationToken));
    }

    public async ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        await _storage.CommitAsync(batch, durability, cancellationToken);
    }

    public ValueTask DisposeAsync() => _storage.DisposeAsync();

    sealed class Snapshot(IStorageSnapshot snapshot) : IStorageSnapshot
    {
        public async ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            return await snapshot.GetAsync(key, cancellationToken);
        }

        public async ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
            KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            return await snapshot.ScanAsync(range, direction, maxEntries, cancellationToken);
        }

        public void Dispose() => snapshot.Dispose();
    }
}
