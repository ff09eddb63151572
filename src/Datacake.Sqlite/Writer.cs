using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>
/// The only writing connection, with its prepared statements. It is also used for reads, because the pages that it has written are still in
/// its cache. Not thread-safe.
/// </summary>
sealed class Writer : IAsyncDisposable
{
    readonly Connection _connection;
    readonly Reader _reader;
    readonly Checkpointer _checkpointer;
    readonly int _maxEntryBytes;
    readonly Statement _begin;
    readonly Statement _put;
    readonly Statement _putLarge;
    readonly Statement _delete;
    readonly Statement _deleteLarge;
    readonly Statement _deleteAny;
    readonly Statement _touch;
    readonly Statement _commit;
    readonly Statement _rollback;
    readonly FileSizeLimit? _limit;
    Durability? _durability;
    bool _hasUnflushed;

    /// <summary>Creates the writer, which takes ownership of both connections. The second one moves the log into the file.</summary>
    public Writer(Connection connection, Connection mover, string path, SqliteStorageOptions options)
    {
        _connection = connection;
        int pageSize = (int)connection.QueryInteger("PRAGMA page_size");
        _maxEntryBytes = FileFormat.MaxEntryBytes(pageSize);
        if (options.MaxFileBytes is { } maxFileBytes)
            _limit = new FileSizeLimit(connection, path, maxFileBytes);
        _begin = connection.Prepare("BEGIN IMMEDIATE");
        // _put and _delete do not change an entry that has a large value.
        _put = connection.Prepare(
            "INSERT INTO entries (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2 WHERE typeof(value) = 'blob'");
        _putLarge = connection.Prepare("INSERT INTO large_values (value) VALUES (?1)");
        _delete = connection.Prepare("DELETE FROM entries WHERE key = ?1 AND typeof(value) = 'blob'");
        _deleteLarge = connection.Prepare(
            "DELETE FROM large_values WHERE id = (SELECT value FROM entries WHERE key = ?1 AND typeof(value) = 'integer')");
        _deleteAny = connection.Prepare("DELETE FROM entries WHERE key = ?1");
        _touch = connection.Prepare($"PRAGMA user_version = {FileFormat.Version}");
        _commit = connection.Prepare("COMMIT");
        _rollback = connection.Prepare("ROLLBACK");
        _reader = new Reader(connection);
        _checkpointer = new Checkpointer(connection, _reader, mover, options);
    }

    /// <summary>Looks up a key in the committed data.</summary>
    public ReadOnlyMemory<byte>? Get(ReadOnlySpan<byte> key)
    {
        Pin();
        return _reader.Get(key);
    }

    public void Commit(WriteBatch batch, Durability durability)
    {
        UseDurability(durability);
        _checkpointer.BeforeCommit();
        try
        {
            Begin();
            using OrderedOperations operations = batch.InBestOrder();
            for (int i = 0; i < operations.Count; i++)
            {
                ref readonly WriteOperation operation = ref operations[i];
                if (operation.Value is { } value)
                    Put(operation.Key.Span, value.Span);
                else
                    Delete(operation.Key.Span);
            }
            // SQLite does not write a transaction that changes nothing, which would leave earlier buffered batches unflushed.
            if (durability == Durability.Flushed && _hasUnflushed)
                _connection.Run(_touch);
            if (!batch.MayUseReserve)
                _limit?.ThrowIfIntoReserve();
            _connection.Run(_commit);
        }
        catch (Exception e)
        {
            // The next commit must start from a clean state. Some errors have already ended the transaction.
            _reader.End();
            if (_connection.InTransaction)
                _connection.Run(_rollback);
            if (e is StorageException { Error: StorageError.Full })
                _limit?.ThrowIfCause();
            throw;
        }
        _hasUnflushed = durability == Durability.Buffered;
        _checkpointer.AfterCommit(durability);
    }

    /// <summary>Gets whether <see cref="OnNoSnapshots"/> has anything to do. Can be read by any thread.</summary>
    public bool IsCheckpointDue => _checkpointer.IsDue;

    /// <summary>Runs an overdue checkpoint. The caller ensures that no snapshot holds it up.</summary>
    public void OnNoSnapshots() => _checkpointer.OnUnhindered();

    /// <summary>Rewrites the file without free space. The space is returned to the disk as soon as no snapshot needs it.</summary>
    public void Compact(CancellationToken cancellationToken)
    {
        UseDurability(Durability.Flushed);
        _reader.End();
        using (_connection.InterruptWhen(cancellationToken))
            _connection.Execute("VACUUM");
        _hasUnflushed = false;
        _checkpointer.Truncate();
    }

    public async ValueTask DisposeAsync()
    {
        await _checkpointer.DisposeAsync().ConfigureAwait(false);
        // This connection must be closed last, because SQLite lets the last connection move the log into the file and remove the log.
        _reader.Dispose();
    }

    /// <summary>
    /// Keeps a read lock between commits, which saves acquiring and releasing it each time. The state that this reader sees advances with
    /// each commit of its own connection, so the lock need not be released until a checkpoint.
    /// </summary>
    void Pin()
    {
        if (_reader.Moment is null)
            _reader.Begin(moment: 0);
    }

    void Begin()
    {
        try
        {
            Pin();
            _connection.Run(_begin);
        }
        catch (StorageException exception) when (exception.Error == StorageError.AlreadyOpen)
        {
            // SQLite does not wait for a lock while the connection has an open read. Other connections can briefly hold the write lock as
            // well: they take it when they read the header of the log while it is being written.
            _reader.End();
            _connection.Run(_begin);
            Pin();
        }
    }

    unsafe void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        // Bound in place, because copying would take up to a tenth of the time of the put.
        fixed (byte* _ = key, __ = value)
        {
            _connection.BindInPlace(_put, 1, key);
            if (key.Length + value.Length <= _maxEntryBytes)
            {
                _connection.BindInPlace(_put, 2, value);
            }
            else
            {
                _connection.BindInPlace(_putLarge, 1, value);
                _connection.Run(_putLarge);
                _connection.Bind(_put, 2, _connection.LastRowId);
            }
            if (_connection.RunChanges(_put))
                return;
            DeleteAny(key);
            _connection.Run(_put);
        }
    }

    unsafe void Delete(ReadOnlySpan<byte> key)
    {
        fixed (byte* _ = key)
        {
            _connection.BindInPlace(_delete, 1, key);
            if (!_connection.RunChanges(_delete))
                DeleteAny(key);
        }
    }

    /// <summary>Removes an entry, if it exists, together with its large value.</summary>
    void DeleteAny(ReadOnlySpan<byte> pinnedKey)
    {
        _connection.BindInPlace(_deleteLarge, 1, pinnedKey);
        _connection.Run(_deleteLarge);
        _connection.BindInPlace(_deleteAny, 1, pinnedKey);
        _connection.Run(_deleteAny);
    }

    /// <summary>
    /// Sets the synchronization mode for the next commits. FULL flushes the log with each commit, including everything that earlier commits
    /// left to the operating system. NORMAL flushes it only before a checkpoint: a loss of power may lose the last commits, but never the
    /// file, because the log has checksums.
    /// </summary>
    void UseDurability(Durability durability)
    {
        if (_durability == durability)
            return;
        _connection.Execute(durability == Durability.Flushed ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
        _durability = durability;
    }
}
