using Datacake.Storage;
using SQLitePCL;

namespace Datacake.Sqlite;

/// <summary>
/// A store in a SQLite file in WAL mode: one connection writes, and snapshots are read transactions on connections of a pool.
/// </summary>
/// <remarks>
/// A <see cref="Durability.Flushed"/> batch has been forced to the disk when the commit returns. After a loss of power the store
/// has all batches up to some point not before the last flushed one: a <see cref="Durability.Buffered"/> batch may be missing, never a part
/// of it. While a snapshot is open the write-ahead log keeps what was committed since: dispose snapshots when they have served.
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
    readonly HashSet<SqliteSnapshot> _newest = [];  // Those that may be without a reader. Under _pooling.
    long _moment;                              // Written under _writing: even while the store does not change.
    volatile bool _disposed;                   // Set under both locks.
    int _rentedReaders;                        // Interlocked.
    int _waitingCommits;                       // Interlocked.

    /// <summary>Opens the file, or creates it with the directory that it is to be in.</summary>
    /// <param name="path">
    /// The file. SQLite keeps others beside it: the same name with <c>-wal</c>, <c>-shm</c> and <c>.lock</c> appended.
    /// </param>
    /// <param name="options">How to open it; later changes to the object have no effect.</param>
    /// <exception cref="StorageException">
    /// The file is open elsewhere, cannot be created or read, belongs to another program, is damaged, or was written by a newer version.
    /// </exception>
    /// <exception cref="ArgumentException">The path is empty, or an option is out of its range.</exception>
    public SqliteStorage(string path, SqliteStorageOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        _options = options?.Clone() ?? new SqliteStorageOptions();
        _options.Validate();
        _path = Path.GetFullPath(path);
        LoadEngine(Description);
        _upkeep = new Upkeep(_path, Description, _options);
        _ownership = StorageLock.Acquire(_path, Description);
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
    public ValueTask<long> GetSizeOnDiskAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new(_upkeep.SizeOnDisk);
    }

    /// <summary>Puts a copy that <see cref="BackUpAsync"/> made in the place of a store, after it was checked.</summary>
    /// <param name="backup">The copy. It is only read.</param>
    /// <param name="path">Where the store is to be. There must be no file yet: move a damaged one away first.</param>
    /// <param name="cancellationToken">Stops the copying, and leaves nothing at the path.</param>
    /// <exception cref="StorageException">
    /// The copy is no sound store, there is something at the path, or that cannot be written. Nothing is left at the path.
    /// </exception>
    public static async ValueTask RestoreAsync(string backup, string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(backup);
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        path = Path.GetFullPath(path);
        LoadEngine(DescriptionOf(path));
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
            // Open snapshots go on.
            LeaveMoment();
            lock (_pooling)
            {
                _disposed = true;
                while (_idleReaders.TryPop(out Reader? reader))
                    reader.Dispose();
            }
        }
        // Whoever uses the writer looks first whether the store is disposed.
        await _writer.DisposeAsync().ConfigureAwait(false);
        _ownership.Dispose();
    }

    /// <summary>
    /// Looks a key up in the newest moment, over the writer's connection, unless that is in use: it alone does not have to forget the pages that it
    /// knows with each commit.
    /// </summary>
    internal bool TryGetNewest(ReadOnlySpan<byte> key, out ReadOnlyMemory<byte>? value)
    {
        value = null;
        // One reader after the other could keep a commit waiting.
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

    /// <summary>A reader that sees the present moment; while the store changes, one side of the change or the other.</summary>
    internal Reader Rent()
    {
        Reader reader = TakeIdle() ?? OpenReader();
        try
        {
            // A reader that has seen this moment before still does.
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

    /// <summary>Takes back the reader of a snapshot, which goes on seeing its moment as long as there is none after it.</summary>
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
    /// Before the store changes: idle readers let the moment go, so that they neither show it any longer nor hinder a checkpoint, and snapshots of it
    /// get readers. Disposing the result enters the next moment.
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

    /// <summary>While the store changes, a reader sees one side of the change or the other, and which one is not known.</summary>
    static bool IsBetweenMoments(long moment) => moment % 2 != 0;

    readonly struct MomentChange(SqliteStorage storage) : IDisposable
    {
        public void Dispose() => Volatile.Write(ref storage._moment, storage._moment + 1);
    }

    /// <summary>Where each commit is made under a snapshot, as a read-modify-write is, only the moments between them have none.</summary>
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
            return new Writer(connection, mover, _options);
        }
        catch
        {
            mover?.Dispose();
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Creates the file so that only its owner can read it; SQLite gives its log the same permissions.</summary>
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
            // SQLite finds the same, and says it.
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

    static void LoadEngine(string description)
    {
        try
        {
            Batteries_V2.Init();
        }
        catch (Exception exception) when (exception is DllNotFoundException or TypeInitializationException or BadImageFormatException)
        {
            throw new StorageException(
                StorageError.EngineMissing,
                $"The {description} cannot be opened, because SQLite's native library e_sqlite3 does not load: {exception.Message} "
                    + "Publish the application for this platform, with the files of the package SQLitePCLRaw.lib.e_sqlite3.",
                exception);
        }
    }
}
