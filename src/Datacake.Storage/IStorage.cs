namespace Datacake.Storage;

/// <summary>
/// An ordered key-value store with consistent snapshots and atomic batches, owned by one process.
/// Keys compare as unsigned bytes; a shorter key comes before a longer one that it starts.
/// </summary>
/// <remarks>
/// An instance is thread-safe: any number of snapshots may be read while one batch is committed. Batches are committed one at a
/// time, in the order of the calls. The embedded providers complete every call synchronously; a remote engine need not.
/// Disposing it closes the store; open snapshots must be disposed first.
/// </remarks>
public interface IStorage : IAsyncDisposable
{
    /// <summary>What the store is and where, for logs and error messages: <c>SQLite file 'shop.db'</c>.</summary>
    string Description { get; }

    /// <summary>Opens a view of everything committed so far, which later commits do not change.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Applies all operations of the batch or none. When it returns, they are as durable as asked and visible to new snapshots.
    /// </summary>
    /// <exception cref="StorageException">Nothing was written: the disk is full, say. The store stays readable.</exception>
    ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default);
}
