using Datacake.Storage;

namespace Datacake.EventualConsistency.Caching;

/// <summary>
/// A storage whose snapshots first look for documents in a cache. All commits of documents must go through it, one at a time.
/// </summary>
sealed class CachedStorage(IStorage storage, DocumentCache cache) : IStorage
{
    /// <summary>Returns the storage with a cache of the given number of bytes; the storage itself if that number is 0.</summary>
    public static IStorage Over(IStorage storage, long capacity) =>
        capacity > 0 ? new CachedStorage(storage, new DocumentCache(capacity)) : storage;

    public string Description => storage.Description;

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        long number = cache.Now;
        var opening = storage.OpenSnapshotAsync(cancellationToken);
        return opening.IsCompletedSuccessfully ? new(new CachedSnapshot(opening.Result, cache, number)) : OpenedAsync(opening, number);
    }

    public async ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        long commit = cache.Begin(batch);
        await storage.CommitAsync(batch, durability, cancellationToken).ConfigureAwait(false);
        cache.Complete(commit);
    }

    /// <summary>
    /// Empties the cache. Call it when documents may have vanished from the storage, which must not seem to be there.
    /// </summary>
    public void Clear() => cache.Clear();

    public ValueTask DisposeAsync() => storage.DisposeAsync();

    async ValueTask<IStorageSnapshot> OpenedAsync(ValueTask<IStorageSnapshot> opening, long number) =>
        new CachedSnapshot(await opening.ConfigureAwait(false), cache, number);
}
