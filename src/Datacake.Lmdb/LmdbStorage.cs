using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>
/// A store in an LMDB file, which is mapped into memory. Reads go directly to the mapped file, and a snapshot is a read transaction.
/// </summary>
/// <remarks>
/// A <see cref="Durability.Flushed"/> batch is on the disk when the commit returns. After a loss of power, the store contains the last
/// flushed batch and all batches before it, and possibly later ones, unless <see cref="LmdbStorageOptions.RiskFileOnPowerLoss"/> is set.
/// While a snapshot is open, space that was freed since is not reused, so dispose snapshots as soon as possible.
/// </remarks>
public sealed class LmdbStorage : IDurableStorage
{
    readonly string _path;
    readonly LmdbStorageOptions _options;
    readonly StorageLock _ownership;
    readonly Lock _writing = new();            // Taken before the lock of the readers.
    LmdbEnvironment _environment;              // Under _writing.
    volatile Readers _readers;                 // The readers of the environment. Set under _writing.
    volatile bool _disposed;                   // Set under _writing.

    /// <summary>Opens the file, or creates it together with its directory.</summary>
    /// <param name="path">
    /// The path of the file. Further files next to it have the same name with <c>-lock</c> and <c>.lock</c> appended.
    /// </param>
    /// <param name="options">The options for opening the file. Later changes to this object have no effect.</param>
    /// <exception cref="StorageException">
    /// The file is open elsewhere, cannot be created or read, belongs to another program, is damaged, or was written by a newer version; or
    /// liblmdb is missing.
    /// </exception>
    /// <exception cref="ArgumentException">The path is empty, or an option is out of range.</exception>
    /// <exception cref="PlatformNotSupportedException">The process is a 32-bit process, whose address space is too small.</exception>
    public LmdbStorage(string path, LmdbStorageOptions options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(options);
        if (!Environment.Is64BitProcess)
        {
            throw new PlatformNotSupportedException(
                "Datacake.Lmdb needs a 64-bit process, because it maps whole files into memory. Use Datacake.Sqlite instead.");
        }
        _options = options.Clone();
        _options.Validate();
        _ownership = StorageLock.Acquire(path, DescriptionOf(Path.GetFullPath(path)));
        _path = _ownership.Path;
        try
        {
            // A compaction that was killed may have left its copy.
            StoreFiles.Delete(StoreFiles.CompactionOf(_path));
            _environment = new LmdbEnvironment(_path, Description, _options);
            _readers = new Readers(_environment);
        }
        catch
        {
            _ownership.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="LmdbStorage(string, LmdbStorageOptions)"/>
    /// <param name="path">The path of the file.</param>
    /// <param name="configure">Sets the options for opening the file.</param>
    public LmdbStorage(string path, Action<LmdbStorageOptions> configure)
        : this(path, LmdbStorageOptions.From(configure))
    {
    }

    /// <inheritdoc cref="LmdbStorage(string, LmdbStorageOptions)"/>
    /// <param name="path">The path of the file.</param>
    public LmdbStorage(string path)
        : this(path, new LmdbStorageOptions())
    {
    }

    /// <inheritdoc/>
    public string Description => DescriptionOf(_path);

    /// <inheritdoc/>
    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(OpenSnapshot());
    }

    /// <inheritdoc/>
    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        Syncing syncing = durability == Durability.Flushed ? Syncing.Full : _options.RiskFileOnPowerLoss ? Syncing.None : Syncing.PagesOnly;
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            cancellationToken.ThrowIfCancellationRequested();
            while (!_environment.TryCommit(batch, syncing))
                _readers.Grow();
        }
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask BackUpAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ObjectDisposedException.ThrowIf(_disposed, this);
        await Task.Run(() => BackUp(path, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="PlatformNotSupportedException">
    /// The operating system is Windows, which does not allow an open file to be replaced.
    /// </exception>
    public async ValueTask CompactAsync(CancellationToken cancellationToken = default)
    {
        if (OperatingSystem.IsWindows())
        {
            throw new PlatformNotSupportedException(
                $"The {Description} cannot be compacted while it is open, because Windows does not allow an open file to be replaced. Back it "
                    + "up and restore the backup instead: a backup contains no free space.");
        }
        await Task.Run(() => Compact(cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask CheckAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        await Task.Run(() => Check(cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<long> GetSizeOnDiskAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return await Task.Run(() => StoreFiles.SizeOf(_path), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<long?> GetFreeSpaceAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return await Task.Run(() => DurableFile.FreeSpaceAt(_path), cancellationToken).ConfigureAwait(false);
    }

    ValueTask<IStorage> IDurableStorage.OpenBackupAsync(string path, CancellationToken cancellationToken) => OpenBackupAsync(path, cancellationToken);

    /// <inheritdoc cref="IDurableStorage.OpenBackupAsync"/>
    public static async ValueTask<IStorage> OpenBackupAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        path = Path.GetFullPath(path);
        string description = $"backup '{path}'";
        return await Task.Run(() => new LmdbBackup(path, description, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Checks a backup that <see cref="BackUpAsync"/> created, and copies it to the path of a store.</summary>
    /// <param name="backup">The path of the backup. It is not changed, and must not be open.</param>
    /// <param name="path">The path of the new store. No file may exist at this path yet, so move a damaged one away first.</param>
    /// <param name="cancellationToken">A token that stops the copying. A canceled call leaves no file behind.</param>
    /// <exception cref="StorageException">
    /// The backup is damaged or not a store, something already exists at the path, or the path cannot be written. No partial file is left
    /// behind.
    /// </exception>
    public static async ValueTask RestoreAsync(string backup, string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(backup);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        using var ownership = StorageLock.Acquire(path, DescriptionOf(Path.GetFullPath(path)));
        path = ownership.Path;
        await DurableFile.CreateAsync(path, DescriptionOf(path), CopyAsync).ConfigureAwait(false);

        async ValueTask CopyAsync(string partial)
        {
            await StoreFiles.CopyAsync(backup, partial, cancellationToken).ConfigureAwait(false);
            await Task.Run(() => CheckCopy(partial, backup, cancellationToken), cancellationToken).ConfigureAwait(false);
            var copy = new LmdbStorage(partial);
            await using (copy.ConfigureAwait(false))
                await RestoreMark.WriteAsync(copy, cancellationToken).ConfigureAwait(false);
            StoreFiles.DeleteLockTable(partial);
            File.Delete(partial + ".lock");
        }
    }

    /// <summary>
    /// Closes the store. Open snapshots read from the map of the file, so the file is closed when the last of them is disposed.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        lock (_writing)
        {
            if (_disposed)
                return ValueTask.CompletedTask;
            _disposed = true;
            _readers.Retire(_ownership);
        }
        return ValueTask.CompletedTask;
    }

    static string DescriptionOf(string path) => $"LMDB file '{path}'";

    static void CheckCopy(string copy, string backup, CancellationToken cancellationToken)
    {
        using (var check = new StructureCheck(copy, $"backup '{backup}'"))
            check.Run(mayLosePages: false, cancellationToken);
        using (new LmdbEnvironment(copy, $"backup '{backup}'", new LmdbStorageOptions())) { }
        StoreFiles.DeleteLockTable(copy);
    }

    LmdbSnapshot OpenSnapshot()
    {
        while (true)
        {
            // A compaction replaces the readers, and disposal retires them.
            Readers readers = _readers;
            if (readers.TryRent() is { } transaction)
                return new LmdbSnapshot(readers, transaction);
            ObjectDisposedException.ThrowIf(_disposed, this);
        }
    }

    Task BackUp(string path, CancellationToken cancellationToken)
    {
        return DurableFile.CreateAsync(path, $"backup of the {Description}", Copy).AsTask();

        ValueTask Copy(string partial)
        {
            using (LmdbSnapshot snapshot = OpenSnapshot())
                CopyTo(partial, snapshot, cancellationToken).Dispose();
            StoreFiles.DeleteLockTable(partial);
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>Fills a new file with the entries of a snapshot, flushes it to the disk, and leaves it open.</summary>
    LmdbEnvironment CopyTo(string path, LmdbSnapshot snapshot, CancellationToken cancellationToken)
    {
        StoreFiles.Delete(path);
        var copy = new LmdbEnvironment(path, $"copy of the {Description} at '{path}'", _options);
        try
        {
            copy.Fill(snapshot, cancellationToken);
            return copy;
        }
        catch
        {
            copy.Dispose();
            StoreFiles.Delete(path);
            throw;
        }
    }

    void Compact(CancellationToken cancellationToken)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            string path = StoreFiles.CompactionOf(_path);
            LmdbEnvironment compacted;
            using (LmdbSnapshot snapshot = OpenSnapshot())
                compacted = CopyTo(path, snapshot, cancellationToken);
            try
            {
                StoreFiles.Replace(path, _path, Description);
            }
            catch
            {
                compacted.Dispose();
                StoreFiles.Delete(path);
                throw;
            }
            _environment = compacted;
            Readers retired = _readers;
            _readers = new Readers(compacted);
            retired.Retire();
        }
    }

    void Check(CancellationToken cancellationToken)
    {
        LmdbSnapshot snapshot;
        StructureCheck check;
        // Both are created between two commits, so that the newest state in the file is the one that the snapshot protects from being
        // overwritten.
        lock (_writing)
        {
            snapshot = OpenSnapshot();
            try
            {
                check = new StructureCheck(_path, Description);
            }
            catch
            {
                snapshot.Dispose();
                throw;
            }
        }
        using (snapshot)
        using (check)
            check.Run(mayLosePages: false, cancellationToken);
    }
}
