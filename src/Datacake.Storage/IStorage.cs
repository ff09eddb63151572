namespace Datacake.Storage;

/// <summary>
/// An ordered key-value store with consistent snapshots and atomic batches, owned by one process.
/// Keys compare as unsigned bytes. A key that is a prefix of another key sorts before it.
/// </summary>
/// <remarks>
/// All members are thread-safe: any number of snapshots can be read while a batch is committed. Batches are committed one at a
/// time, in the order of the calls. The embedded providers complete reads and commits synchronously; a provider for a remote engine need not.
/// Disposing the instance closes the store. Dispose open snapshots first.
/// </remarks>
public interface IStorage : IAsyncDisposable
{
    /// <summary>Gets the kind and location of the store for logs and error messages, such as <c>SQLite file 'shop.db'</c>.</summary>
    string Description { get; }

    /// <summary>Opens a view of everything committed so far. Later commits do not change the view.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Applies all operations of a batch, or none. When the call returns, the batch has the requested durability and is visible to new
    /// snapshots.
    /// </summary>
    /// <exception cref="StorageException">
    /// The batch was not written, for example because the disk is full. The store stays readable.
    /// </exception>
    ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default);
}
