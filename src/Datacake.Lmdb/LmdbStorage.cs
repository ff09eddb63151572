using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>
/// A store in an LMDB file, which is mapped into memory: reads touch no buffer in between, and a snapshot is a read transaction.
/// </summary>
/// <remarks>
/// A <see cref="Durability.Flushed"/> batch has been forced to the disk when the commit returns. After a loss of power the store has all
/// batches up to some point not before the last flushed one, unless <see cref="LmdbStorageOptions.RiskFileOnPowerLoss"/> is set.
/// While a snapshot is open the space of what was replaced or removed since is not used again: dispose snapshots when they have served.
/// </remarks>
public sealed class LmdbStorage : IStorage
{
    readonly string _path;
    readonly LmdbStorageOptions _options;
    readonly StorageLock _ownership;
    readonly LmdbEnvironment _environment;
    readonly Lock _writing = new();                      // Taken before _gate.
    readonly object _gate = new();                       // Guards all below; pulsed when one of them changes.
    readonly Stack<ReadTransaction> _idle = [];
    int _openSnapshots;
    bool _isGrowing;
    bool _shouldGrow;
    bool _disposed;

    /// <summary>Opens the file, or creates it with the directory that it is to be in.</summary>
    /// <param name="path">The file. Others are kept beside it: the same name with <c>-lock</c> and <c>.lock</c> appended.</param>
    /// <param name="options">How to open it; later changes to the object have no effect.</param>
    /// <exception cref="StorageException">
    /// The file is open elsewhere, cannot be created or read, belongs to another program, is damaged, or was written by a newer version; or
    /// liblmdb is missing.
    /// </exception>
    /// <exception cref="ArgumentException">The path is empty, or an option is out of its range.</exception>
    /// <exception cref="PlatformNotSupportedException">The process has 32 bits, which are too few to map a file.</exception>
    public LmdbStorage(string path, LmdbStorageOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (!Environment.Is64BitProcess)
        {
            throw new PlatformNotSupportedException(
                "Datacake.Lmdb needs a 64-bit process, since it maps whole files into memory. Use Datacake.Sqlite.");
        }
        _options = options?.Clone() ?? new LmdbStorageOptions();
        _options.Validate();
        _path = Path.GetFullPath(path);
        _ownership = StorageLock.Acquire(_path, Description);
        try
        {
            _environment = new LmdbEnvironment(_path, Description, _options);
        }
        catch
        {
            _ownership.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public string Description => $"LMDB file '{_path}'";

    /// <inheritdoc/>
    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            // No longer than the timeout of the growth.
            while (_isGrowing)
                Monitor.Wait(_gate);
            ObjectDisposedException.ThrowIf(_disposed, this);
            ReadTransaction transaction = _idle.TryPop(out ReadTransaction? idle) ? Renew(idle) : _environment.BeginRead();
            _openSnapshots++;
            return new(new LmdbSnapshot(this, transaction));
        }
    }

    /// <inheritdoc/>
    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        lock (_writing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            cancellationToken.ThrowIfCancellationRequested();
            while (!_environment.TryCommit(batch, durability))
                Grow();
            if (_environment.ShouldGrow)
            {
                lock (_gate)
                    _shouldGrow = true;
            }
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>Closes the store; the file is closed when the last open snapshot is disposed too, since these read from its map.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_writing)
        {
            lock (_gate)
            {
                if (_disposed)
                    return ValueTask.CompletedTask;
                _disposed = true;
                CloseIfUnused();
            }
        }
        return ValueTask.CompletedTask;
    }

    /// <summary>Takes back the transaction of a snapshot.</summary>
    internal void Return(ReadTransaction transaction)
    {
        lock (_gate)
        {
            transaction.Reset();
            _idle.Push(transaction);
            _openSnapshots--;
            if (_openSnapshots > 0)
                return;
            if (_disposed)
                CloseIfUnused();
            else if (_shouldGrow)
                GrowUnlessBusy();
            Monitor.PulseAll(_gate);
        }
    }

    static ReadTransaction Renew(ReadTransaction transaction)
    {
        try
        {
            transaction.Renew();
            return transaction;
        }
        catch
        {
            transaction.Dispose();
            throw;
        }
    }

    void CloseIfUnused()
    {
        if (_openSnapshots > 0)
            return;
        while (_idle.TryPop(out ReadTransaction? transaction))
            transaction.Dispose();
        _environment.Dispose();
        _ownership.Dispose();
    }

    /// <summary>Makes the map larger once no snapshot is open; the address of every page changes.</summary>
    void Grow()
    {
        lock (_gate)
        {
            if (!_environment.CanGrow)
            {
                throw new StorageException(
                    StorageError.Full,
                    $"The {Description} has reached the {_options.MaxFileBytes} bytes that it may have. Nothing of this batch was "
                        + "stored, and what was before is unharmed. Delete something, or raise "
                        + $"{nameof(LmdbStorageOptions.MaxFileBytes)}.");
            }
            long start = TimeProvider.System.GetTimestamp();
            _isGrowing = true;
            try
            {
                while (_openSnapshots > 0)
                {
                    TimeSpan left = _options.GrowTimeout - TimeProvider.System.GetElapsedTime(start);
                    if (left <= TimeSpan.Zero || !Monitor.Wait(_gate, left))
                        break;
                }
                if (_openSnapshots > 0)
                {
                    _shouldGrow = true;
                    throw new StorageException(
                        StorageError.Full,
                        $"The {Description} needs a larger map, and {_openSnapshots} snapshots were open for {_options.GrowTimeout}. "
                            + "Nothing of this batch was stored, and what was before is unharmed. Dispose the snapshots and try again, "
                            + $"or open the store with larger {nameof(LmdbStorageOptions.MapBytes)}.");
                }
                GrowMap();
            }
            finally
            {
                _isGrowing = false;
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>Where each commit is made under a snapshot, as a read-modify-write is, only the moments between them have none.</summary>
    void GrowUnlessBusy()
    {
        if (!_writing.TryEnter())
            return;
        try
        {
            GrowMap();
        }
        finally
        {
            _writing.Exit();
        }
    }

    void GrowMap()
    {
        _shouldGrow = false;
        try
        {
            _environment.Grow();
        }
        catch (StorageException)
        {
            // LMDB has let the old map go, and has no new one: there is nothing left to read from.
            _disposed = true;
            CloseIfUnused();
            throw;
        }
    }
}
