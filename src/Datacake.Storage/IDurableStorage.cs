namespace Datacake.Storage;

/// <summary>A store that outlives its process, with what its owner needs to look after it while it is in use.</summary>
/// <remarks>
/// These calls take as long as the store is large. They leave the caller's thread at once, and stop when they are cancelled, with nothing
/// changed. Putting a copy back is a static method of each provider (<c>RestoreAsync</c>), since the store is closed then.
/// </remarks>
public interface IDurableStorage : IStorage
{
    /// <summary>
    /// Copies everything committed so far to a path of its own, while reads and commits go on. The copy takes no more space than it needs,
    /// has been forced to the disk on return, and is a store that the same provider opens.
    /// </summary>
    /// <param name="path">Where the copy is to be. There must be nothing yet.</param>
    /// <param name="cancellationToken">Stops the copying, and leaves nothing at the path.</param>
    /// <exception cref="StorageException">
    /// There is something at the path, it cannot be written, or the store cannot be read. Nothing is left at the path.
    /// </exception>
    ValueTask BackUpAsync(string path, CancellationToken cancellationToken = default);

    /// <summary>
    /// Gives the space that deletes and replacements have freed back to the disk. Commits wait for it, reads go on. It needs room for a
    /// second copy while it works. What an open snapshot still needs is given back after that.
    /// </summary>
    /// <exception cref="StorageException">There is no room, or the store cannot be read. The store is as it was.</exception>
    ValueTask CompactAsync(CancellationToken cancellationToken = default);

    /// <summary>Reads the whole store and checks that its structure is sound, while reads and commits go on.</summary>
    /// <exception cref="StorageException">It is not (<see cref="StorageError.Corrupt"/>): the message says what was found.</exception>
    ValueTask CheckAsync(CancellationToken cancellationToken = default);

    /// <summary>The bytes that the store takes on disk now, in all of its files.</summary>
    /// <exception cref="StorageException">The files cannot be read.</exception>
    ValueTask<long> GetSizeOnDiskAsync(CancellationToken cancellationToken = default);
}
