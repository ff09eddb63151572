namespace Datacake.Storage;

/// <summary>A store that outlives its process, with maintenance operations that run while the store is in use.</summary>
/// <remarks>
/// The duration of these calls grows with the size of the store. They run on another thread, and a canceled call leaves everything unchanged.
/// Restoring a backup is a static method of each provider (<c>RestoreAsync</c>), because the store must be closed for that.
/// </remarks>
public interface IDurableStorage : IStorage
{
    /// <summary>
    /// Copies everything committed so far to another path, while reads and commits continue. The copy contains no free space, has been
    /// flushed to the disk when the call returns, and is itself a store that the same provider can open.
    /// </summary>
    /// <param name="path">The path of the copy. Nothing may exist at this path yet.</param>
    /// <param name="cancellationToken">A token that stops the copying. A canceled call leaves no copy behind.</param>
    /// <exception cref="StorageException">
    /// Something already exists at the path, the copy cannot be written, or the store cannot be read. No partial copy is left behind.
    /// </exception>
    ValueTask BackUpAsync(string path, CancellationToken cancellationToken = default);

    /// <summary>Checks the structure of a copy that <see cref="BackUpAsync"/> created, and opens it for reading only. No file is changed or created.</summary>
    /// <param name="path">The path of the copy, which nobody may change while it is open.</param>
    /// <param name="cancellationToken">A token that stops the check.</param>
    /// <returns>The copy. Commits to it are refused or kept in memory. Dispose it after its snapshots.</returns>
    /// <exception cref="StorageException">There is no copy at the path, or it is damaged, of another program, or of a newer version.</exception>
    ValueTask<IStorage> OpenBackupAsync(string path, CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns the space freed by deletes and replacements to the disk. Commits wait until compaction has finished; reads continue. The
    /// disk needs room for a second copy of the data meanwhile. Space that an open snapshot still needs is returned when that snapshot is
    /// disposed.
    /// </summary>
    /// <exception cref="StorageException">The disk has too little room, or the store cannot be read. The store is unchanged.</exception>
    ValueTask CompactAsync(CancellationToken cancellationToken = default);

    /// <summary>Reads the whole store and checks that its structure is sound, while reads and commits continue.</summary>
    /// <exception cref="StorageException">
    /// The store is damaged (<see cref="StorageError.Corrupt"/>; the message describes the damage), or cannot be read.
    /// </exception>
    ValueTask CheckAsync(CancellationToken cancellationToken = default);

    /// <summary>Returns the current size of all files of the store, in bytes.</summary>
    /// <exception cref="StorageException">The files cannot be read.</exception>
    ValueTask<long> GetSizeOnDiskAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns the free space of the volume on which the store is, in bytes; null if it is not known, such as on some network shares, or if the provider does not say.
    /// </summary>
    ValueTask<long?> GetFreeSpaceAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult<long?>(null);
}
