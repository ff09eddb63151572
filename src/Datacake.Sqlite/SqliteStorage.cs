using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>
/// A store in a SQLite file in WAL mode. One connection writes, and snapshots are read transactions on pooled connections.
/// </summary>
/// <remarks>
/// A <see cref="Durability.Flushed"/> batch is on the disk when the commit returns. After a loss of power, the store contains the last
/// flushed batch and all batches before it. <see cref="Durability.Buffered"/> batches committed later may be missing, newest first, but
/// never in part. While a snapshot is open, the write-ahead log keeps everything committed since, so dispose snapshots as soon as possible.
/// </remarks>
public sealed class SqliteStorage : IDurableStorage
{
    readonly string _path;
    readonly SqliteStorageOptions _options;
    readonly Upkeep _upkeep;
    readonly StorageLock _ownership;
    readonly Lock _writing = new();
    readonly Writer _writer;                   // Under _writing.
    readonly Lock _pooling = new();
    readonly Stack<Reader> _idleReaders = [];  // Under _pooling.
    readonly HashSet<SqliteSnapshot> _newest = [];  // The snapshots of the newest moment, which may have no reader. Under _pooling.
    long _moment;                              // Written under _writing. Odd while the store is changing.
    volatile bool _disposed;                   // Set under both locks.
    int _rentedReaders;                        // Interlocked.
    int _waitingCommits;                       // Interlocked.

    /// <summary>Opens the file, or creates it together with its directory.</summary>
    /// <param name="path">
    /// The path of the file. Further files next to it have the same name with <c>-wal</c>, <c>-shm</c> and <c>.lock</c> appended.
    /// </param>
    /// <param name="options">The options for opening the file. Later changes to this object have no effect.</param>
    /// <exception cref="StorageException">
    /// The file is open elsewhere, cannot be created or read, belongs to another program, is damaged, or was written by a newer version.
    /// </exception>
    /// <exception cref="ArgumentException">The path is empty, or an option is out of range.</exception>
    public SqliteStorage(string path, SqliteStorageOptions options)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ArgumentNullException.ThrowIfNull(options);
        _options = options.Clone();
        _options.Validate();
        string description = DescriptionOf(Path.GetFullPath(path));
        SqliteLibrary.Load(description);
        _ownership = StorageLock.Acquire(path, description);
        _path = _ownership.Path;
        _upkeep = new Upkeep(_path, Description, _options);
        try
        {
            _writer = OpenWriter();
        }
        catch
        {
            _ownership.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="SqliteStorage(string, SqliteStorageOptions)"/>
    /// <param name="path">The path of the file.</param>
    /// <param name="configure">Sets the options for opening the file.</param>
    public SqliteStorage(string path, Action<SqliteStorageOptions> configure)
        : this(path, SqliteStorageOptions.From(configure))
    {
    }

    /// <inheritdoc cref="SqliteStorage(string, SqliteStorageOptions)"/>
    /// <param name="path">The path of the file.</param>
    public SqliteStorage(string path)
        : this(path, new SqliteStorageOptions())
    {
    }

    /// <inheritdoc/>
    public string Description => DescriptionOf(_path);

    /// <inheritdoc/>
    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var snapshot = new SqliteSnapshot(this);
        lock (_pooling)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!IsBetweenMoments(_moment))
            {
                _newest.Add(snapshot);
                return new(snapshot);
            }
        }
        snapshot.Fix();
        return new(snapshot);
    }

    /// <inheritdoc/>
    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _waitingCommits);
        lock (_writing)
        {
            Interlocked.Decrement(ref _waitingCommits);
            ObjectDisposedException.ThrowIf(_disposed, this);
            cancellationToken.ThrowIfCancellationRequested();
            using (LeaveMoment())
                _writer.Commit(batch, durability);
        }
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask BackUpAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        ObjectDisposedException.ThrowIf(_disposed, this);
        await Task.Run(() => _upkeep.BackUpAsync(path, cancellationToken).AsTask(), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask CompactAsync(CancellationToken cancellationToken = default) =>
        await Task.Run(() => Compact(cancellationToken), cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask CheckAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        await Task.Run(() => _upkeep.CheckAsync(cancellationToken).AsTask(), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask<long> GetSizeOnDiskAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return await Task.Run(() => _upkeep.SizeOnDisk, cancellationToken).ConfigureAwait(false);
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
        SqliteLibrary.Load(description);
        return await Task.Run(() => new SqliteBackup(path, description, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Checks a backup that <see cref="BackUpAsync"/> created, and copies it to the path of a store.</summary>
    /// <param name="backup">The path of the backup. It is not changed.</param>
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
        path = Path.GetFullPath(path);
        SqliteLibrary.Load(DescriptionOf(path));
        var upkeep = new Upkeep(path, DescriptionOf(path), new SqliteStorageOptions());
        await Task.Run(() => upkeep.RestoreAsync(backup, cancellationToken).AsTask(), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        lock (_writing)
        {
            if (_disposed)
                return;
            // Open snapshots stay readable.
            LeaveMoment();
            lock (_pooling)
            {
                _disposed = true;
                while (_idleReaders.TryPop(out Reader? reader))
                    reader.Dispose();
            }
        }
        // Every user of the writer first checks whether the store is disposed.
        await _writer.DisposeAsync().ConfigureAwait(false);
        _ownership.Dispose();
    }

    /// <summary>
    /// Looks up a key in the newest moment through the writer's connection, unless that is in use. Only this connection keeps its page cache
    /// across commits; a commit invalidates the caches of all others.
    /// </summary>
    internal bool TryGetNewest(ReadOnlySpan<byte> key, out ReadOnlyMemory<byte>? value)
    {
        value = null;
        // A stream of readers could otherwise keep a commit waiting.
        if (Volatile.Read(ref _waitingCommits) > 0 || !_writing.TryEnter())
            return false;
        try
        {
            if (_disposed)
                return false;
            value = _writer.Get(key);
            return true;
        }
        finally
        {
            _writing.Exit();
        }
    }

    /// <summary>
    /// Returns a reader of the current moment. While the store is changing, the reader sees either the state before or the state after the
    /// change.
    /// </summary>
    internal Reader Rent()
    {
        Reader reader = TakeIdle() ?? OpenReader();
        try
        {
            // A pooled reader may already see this moment.
            long moment = Volatile.Read(ref _moment);
            if (reader.Moment != moment)
            {
                reader.End();
                reader.Begin(moment);
            }
        }
        catch
        {
            reader.Dispose();
            throw;
        }
        Interlocked.Increment(ref _rentedReaders);
        return reader;
    }

    /// <summary>Takes back the reader of a snapshot. The reader keeps its moment until the next one begins.</summary>
    internal void Return(SqliteSnapshot snapshot, Reader? reader)
    {
        if (!TryKeep(snapshot, reader))
            reader?.Dispose();
        if (reader is not null && Interlocked.Decrement(ref _rentedReaders) == 0 && _writer.IsCheckpointDue)
            CheckpointUnlessBusy();
    }

    void Compact(CancellationToken cancellationToken)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            cancellationToken.ThrowIfCancellationRequested();
            using (LeaveMoment())
                _writer.Compact(cancellationToken);
        }
    }

    bool TryKeep(SqliteSnapshot snapshot, Reader? reader)
    {
        lock (_pooling)
        {
            _newest.Remove(snapshot);
            if (reader is null || _disposed || _idleReaders.Count >= _options.MaxPooledReaders)
                return false;
            if (reader.Moment != _moment || IsBetweenMoments(_moment))
                reader.End();
            _idleReaders.Push(reader);
            return true;
        }
    }

    /// <summary>
    /// Ends the current moment before the store changes. Idle readers release it, so that they do not show it any longer or hold up a
    /// checkpoint, and its snapshots get their own readers. Disposing the result begins the next moment.
    /// </summary>
    MomentChange LeaveMoment()
    {
        SqliteSnapshot[] snapshots;
        lock (_pooling)
        {
            Volatile.Write(ref _moment, _moment + 1);
            foreach (Reader reader in _idleReaders)
                reader.End();
            snapshots = [.. _newest];
            _newest.Clear();
        }
        foreach (SqliteSnapshot snapshot in snapshots)
            snapshot.Fix();
        return new MomentChange(this);
    }

    /// <summary>
    /// Returns whether the store is changing. A reader that begins meanwhile sees either the state before or the state after the change,
    /// and it is unknown which.
    /// </summary>
    static bool IsBetweenMoments(long moment) => moment % 2 != 0;

    readonly struct MomentChange(SqliteStorage storage) : IDisposable
    {
        public void Dispose() => Volatile.Write(ref storage._moment, storage._moment + 1);
    }

    /// <summary>
    /// Runs an overdue checkpoint if the writer is free. If every commit is made while a snapshot is open, as in a read-modify-write, then
    /// only the pauses between commits are free of snapshots.
    /// </summary>
    void CheckpointUnlessBusy()
    {
        if (!_writing.TryEnter())
            return;
        try
        {
            if (!_disposed)
            {
                using (LeaveMoment())
                    _writer.OnNoSnapshots();
            }
        }
        finally
        {
            _writing.Exit();
        }
    }

    Reader? TakeIdle()
    {
        lock (_pooling)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _idleReaders.TryPop(out Reader? idle) ? idle : null;
        }
    }

    Writer OpenWriter()
    {
        CreateForOwner();
        var connection = new Connection(_path, writes: true, Description, _options);
        Connection? mover = null;
        try
        {
            FileFormat.Prepare(connection, Description, _options.PageSize);
            if (_options.CheckOnOpen)
                Upkeep.CheckStructure(connection);
            mover = new Connection(_path, writes: true, Description, _options);
            FileFormat.FlushDevices(mover);
            return new Writer(connection, mover, _path, _options);
        }
        catch
        {
            mover?.Dispose();
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Creates the file with permissions for its owner only. SQLite gives the log the same permissions.</summary>
    void CreateForOwner()
    {
        if (File.Exists(_path))
            return;
        try
        {
            new FileStream(_path, DurableFile.ForOwner(FileMode.CreateNew, FileAccess.Write, FileShare.None)).Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // SQLite runs into the same error and reports it.
        }
    }

    Reader OpenReader()
    {
        var connection = new Connection(_path, writes: false, Description, _options);
        try
        {
            return new Reader(connection);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    static string DescriptionOf(string path) => $"SQLite file '{path}'";
}
