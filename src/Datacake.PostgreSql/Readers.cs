using Datacake.Storage;

namespace Datacake.PostgreSql;

/// <summary>
/// The snapshots of a store and the connections that they read from. A moment is the time between two changes of the store: all snapshots of a moment see the same.
/// Thread-safe.
/// </summary>
sealed class Readers : IDisposable
{
    readonly Database _database;
    readonly PostgreSqlStorageOptions _options;
    readonly Writer _writer;
    readonly Func<ValueTask> _recover;
    readonly SemaphoreSlim _free;                       // One for each snapshot that may still be opened.
    readonly Lock _pooling = new();
    readonly Stack<Reader> _idle = [];                  // Under _pooling.
    readonly HashSet<PostgreSqlSnapshot> _newest = [];  // The snapshots of the newest moment, which may have no reader. Under _pooling.
    readonly HashSet<Reader> _rented = [];              // Under _pooling.
    long _moment;                                       // Odd while the store is changing. Under _pooling.
    bool _isClosed;                                     // Under _pooling.
    int _open;                                          // The number of open snapshots. Under _pooling.

    /// <summary>Creates the readers. If a reader finds the store older than the writer left it, <paramref name="recover"/> is called.</summary>
    public Readers(Database database, PostgreSqlStorageOptions options, Writer writer, Func<ValueTask> recover)
    {
        _database = database;
        _options = options;
        _writer = writer;
        _recover = recover;
        _free = new SemaphoreSlim(options.MaxSnapshots);
    }

    /// <summary>Opens a snapshot of the present moment.</summary>
    public async ValueTask<IStorageSnapshot> OpenAsync(CancellationToken cancellationToken)
    {
        if (!await _free.WaitAsync(_options.SnapshotTimeout, cancellationToken).ConfigureAwait(false))
        {
            throw new StorageException(
                StorageError.Failed,
                $"The {_database.Description} has {_options.MaxSnapshots} open snapshots, and none was disposed within {_options.SnapshotTimeout.TotalSeconds} seconds. "
                    + $"Dispose snapshots sooner, or increase {nameof(PostgreSqlStorageOptions.MaxSnapshots)}.");
        }
        var snapshot = new PostgreSqlSnapshot(this);
        bool isFixed;
        lock (_pooling)
        {
            if (_isClosed)
            {
                _free.Release();
                throw new ObjectDisposedException(nameof(PostgreSqlStorage));
            }
            _open++;
            isFixed = IsBetweenMoments;
            if (!isFixed)
                _newest.Add(snapshot);
        }
        // While the store is changing, the snapshot sees either the state before or the state after the change.
        if (isFixed)
            await snapshot.FixAsync().ConfigureAwait(false);
        return snapshot;
    }

    /// <summary>Ends the present moment before the store changes: each of its snapshots gets its reader. Call <see cref="BeginMoment"/> after the change.</summary>
    public async ValueTask EndMomentAsync()
    {
        PostgreSqlSnapshot[] snapshots;
        lock (_pooling)
        {
            if (!IsBetweenMoments)
                _moment++;
            snapshots = [.. _newest];
            _newest.Clear();
        }
        if (snapshots.Length > 0)
            await Task.WhenAll(snapshots.Select(snapshot => snapshot.FixAsync().AsTask())).ConfigureAwait(false);
    }

    /// <summary>Begins a moment, after the store has changed.</summary>
    public void BeginMoment()
    {
        lock (_pooling)
            _moment++;
    }

    /// <summary>Returns a reader of the present moment, whose transaction has begun or is prepared.</summary>
    public async ValueTask<Reader> RentAsync()
    {
        // A commit whose outcome is unknown would otherwise appear later in the snapshots of one moment.
        while (_writer.MustRecover)
            await _recover().ConfigureAwait(false);
        long committed = _writer.Committed;
        long moment;
        Reader? reader;
        lock (_pooling)
        {
            moment = _moment;
            if (_idle.TryPop(out reader))
            {
                reader.IsReused = true;
                _rented.Add(reader);
                if (reader.HasBegun && reader.Moment == moment && !IsBetweenMoments)
                    return reader;
            }
        }
        if (reader is null)
        {
            reader = await ConnectAsync().ConfigureAwait(false);
            lock (_pooling)
                _rented.Add(reader);
        }
        reader.Prepare(moment, _writer.Table, _writer.Epoch, committed);
        return reader;
    }

    /// <summary>
    /// Returns a reader in place of a broken one, or null if that has begun and the store may have changed since. The caller holds up the end of the moment, if it has
    /// not ended.
    /// </summary>
    public async ValueTask<Reader?> ReplaceAsync(Reader broken)
    {
        Close(broken);
        if (broken.IsStale)
            _writer.Doubt();
        Reader reader = await RentAsync().ConfigureAwait(false);
        if (!broken.HasBegun || (reader.Moment == broken.Moment && broken.Moment % 2 == 0))
            return reader;
        Close(reader);
        return null;
    }

    /// <summary>Returns true if every snapshot that has a reader reads the table with a number.</summary>
    public bool AllRead(int table)
    {
        lock (_pooling)
            return _rented.All(reader => reader.Table == table) && _idle.All(reader => reader.Moment is null || reader.Table == table);
    }

    /// <summary>Forgets a snapshot that is disposed.</summary>
    public void Forget(PostgreSqlSnapshot snapshot)
    {
        lock (_pooling)
            _newest.Remove(snapshot);
    }

    /// <summary>Takes back the reader of a snapshot, if it has one. The reader keeps its transaction for another snapshot of the same moment.</summary>
    public void Return(Reader? reader)
    {
        bool isLast;
        lock (_pooling)
        {
            _open--;
            isLast = _isClosed && _open == 0;
            if (reader is not null)
                _rented.Remove(reader);
            if (reader is { IsBroken: false } && !_isClosed)
            {
                _idle.Push(reader);
                reader = null;
            }
        }
        reader?.Dispose();
        if (isLast)
            _database.Dispose();
        _free.Release();
    }

    /// <summary>
    /// Ends the transactions of idle readers, because the server keeps everything that they see. Closes the connections that have broken.
    /// </summary>
    public async ValueTask EndIdleAsync()
    {
        while (true)
        {
            Reader? reader = null;
            lock (_pooling)
            {
                if (_idle.Any(idle => idle.Moment is not null))
                    _idle.TryPop(out reader);
            }
            if (reader is null)
                return;
            try
            {
                await reader.EndAsync().ConfigureAwait(false);
                KeepLast(reader);
            }
            catch (StorageException)
            {
                reader.Dispose();
            }
        }
    }

    /// <summary>Closes all idle connections. Open snapshots stay readable.</summary>
    public void Dispose()
    {
        Reader[] idle;
        bool isLast;
        lock (_pooling)
        {
            if (_isClosed)
                return;
            _isClosed = true;
            isLast = _open == 0;
            idle = [.. _idle];
            _idle.Clear();
        }
        foreach (Reader reader in idle)
            reader.Dispose();
        if (isLast)
            _database.Dispose();
    }

    void Close(Reader reader)
    {
        lock (_pooling)
            _rented.Remove(reader);
        reader.Dispose();
    }

    /// <summary>Gets whether the store is changing. A reader that begins meanwhile sees the state before or after the change, and it is unknown which.</summary>
    bool IsBetweenMoments => _moment % 2 != 0;

    /// <summary>Keeps an idle reader below those that have a transaction, so that each of them is seen.</summary>
    void KeepLast(Reader reader)
    {
        lock (_pooling)
        {
            if (!_isClosed)
            {
                Reader[] others = [.. _idle];
                _idle.Clear();
                _idle.Push(reader);
                for (int i = others.Length - 1; i >= 0; i--)
                    _idle.Push(others[i]);
                return;
            }
        }
        reader.Dispose();
    }

    async ValueTask<Reader> ConnectAsync()
    {
        using var deadline = new CancellationTokenSource(_options.ReconnectTimeout);
        return new Reader(_database, await Database.RetryAsync(() => _database.ConnectAsync(), deadline.Token).ConfigureAwait(false));
    }
}
