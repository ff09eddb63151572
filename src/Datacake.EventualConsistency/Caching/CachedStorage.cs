using Datacake.Storage;

namespace Datacake.EventualConsistency.Caching;

/// <summary>
/// A storage whose snapshots look for documents in a cache first. All commits of documents go through it, one at a time. Whoever made the storage
/// disposes it.
/// </summary>
sealed class CachedStorage(IStorage storage, DocumentCache cache) : IStorage
{
    /// <summary>A storage with a cache of so many bytes. One that is in memory is its own.</summary>
    public static IStorage Over(IStorage storage, long capacity) =>
        storage is IDurableStorage && capacity > 0 ? new CachedStorage(storage, new DocumentCache(capacity)) : storage;

    public string Description => storage.Description;

    public async ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        long number = cache.Now;
        return new CachedSnapshot(await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false), cache, number);
    }

    public async ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        long commit = cache.Begin(batch);
        await storage.CommitAsync(batch, durability, cancellationToken).ConfigureAwait(false);
        cache.Complete(commit);
    }

    public ValueTask DisposeAsync() => storage.DisposeAsync();
}
