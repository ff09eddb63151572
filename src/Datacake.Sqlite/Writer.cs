using Datacake.Storage;
using SQLitePCL;

namespace Datacake.Sqlite;

/// <summary>
/// The one connection that writes, with its statements. It reads, too: what it has written itself it need not read again. Not thread-safe.
/// </summary>
sealed class Writer : IAsyncDisposable
{
    readonly Connection _connection;
    readonly Reader _reader;
    readonly Checkpointer _checkpointer;
    readonly int _maxEntryBytes;
    readonly sqlite3_stmt _begin;
    readonly sqlite3_stmt _put;
    readonly sqlite3_stmt _putLarge;
    readonly sqlite3_stmt _delete;
    readonly sqlite3_stmt _deleteLarge;
    readonly sqlite3_stmt _deleteAny;
    readonly sqlite3_stmt _touch;
    readonly sqlite3_stmt _commit;
    readonly sqlite3_stmt _rollback;
    readonly FileSizeLimit? _limit;
    Durability? _durability;
    bool _hasUnflushed;

    /// <summary>Takes over both connections; the second one moves the log into the file.</summary>
    public Writer(Connection connection, Connection mover, SqliteStorageOptions options)
    {
        _connection = connection;
        int pageSize = (int)connection.QueryInteger("PRAGMA page_size");
        _maxEntryBytes = FileFormat.MaxEntryBytes(pageSize);
        if (options.MaxFileBytes is { } maxFileBytes)
            _limit = new FileSizeLimit(connection, maxFileBytes / pageSize);
        _begin = connection.Prepare("BEGIN IMMEDIATE");
        // Both leave an entry with a large value as it is.
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

    /// <summary>Looks a key up, in what is committed.</summary>
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
            foreach (ref readonly WriteOperation operation in batch.Operations)
            {
                if (operation.Value is { } value)
                    Put(operation.Key.Span, value.Span);
                else
                    Delete(operation.Key.Span);
            }
            // A batch that changes nothing would not be written, and would flush none of those before it.
            if (durability == Durability.Flushed && _hasUnflushed)
                _connection.Run(_touch);
            if (!batch.MayUseReserve)
                _limit?.ThrowIfIntoReserve();
            _connection.Run(_commit);
        }
        catch
        {
            // Whatever it is, the next commit starts afresh. Some errors have ended the transaction already.
            _reader.End();
            if (_connection.InTransaction)
                _connection.Run(_rollback);
            throw;
        }
        _hasUnflushed = durability == Durability.Buffered;
        _checkpointer.AfterCommit(durability);
    }

    /// <summary>Whether <see cref="OnNoSnapshots"/> has something to do. May be read by any thread.</summary>
    public bool IsCheckpointDue => _checkpointer.IsDue;

    /// <summary>There is no snapshot that hinders a checkpoint.</summary>
    public void OnNoSnapshots() => _checkpointer.OnUnhindered();

    /// <summary>Writes the file anew without its free space, and gives that back to the disk as soon as no snapshot needs it.</summary>
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
        // Last, so that it is the one that SQLite lets move the log into the file and remove it.
        _reader.Dispose();
    }

    /// <summary>
    /// Keeps the lock of a reader from one commit to the next, which spares taking and releasing it. The moment of the reader goes on with each commit of its
    /// connection, so that it need not end until a checkpoint.
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
            // SQLite waits for a lock only where nothing is being read. Other connections, too, take that of the writer for a moment, when they read the
            // log's header while it is being written.
            _reader.End();
            _connection.Run(_begin);
            Pin();
        }
    }

    unsafe void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        // Where they are: for SQLite to copy them would cost as much as a tenth of the put.
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

    /// <summary>Removes an entry, if there is one, with its large value.</summary>
    void DeleteAny(ReadOnlySpan<byte> pinnedKey)
    {
        _connection.BindInPlace(_deleteLarge, 1, pinnedKey);
        _connection.Run(_deleteLarge);
        _connection.BindInPlace(_deleteAny, 1, pinnedKey);
        _connection.Run(_deleteAny);
    }

    /// <summary>
    /// FULL forces the log to the disk with each commit, and with it all that earlier commits left to the operating system. NORMAL forces
    /// it only before a checkpoint: a loss of power may cost the last commits, and never the file, since the log has checksums.
    /// </summary>
    void UseDurability(Durability durability)
    {
        if (_durability == durability)
            return;
        _connection.Execute(durability == Durability.Flushed ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
        _durability = durability;
    }
}
