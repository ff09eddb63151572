using Datacake.Storage;
using SQLitePCL;

namespace Datacake.Sqlite;

/// <summary>
/// The one connection that writes, with its statements, and the upkeep of the write-ahead log. It reads, too: what it has written itself it need not read
/// again. Not thread-safe.
/// </summary>
sealed class Writer : IDisposable
{
    // The log is made to start again, at the cost of a wait, only when it is so many times as large as it should be.
    const int RestartFactor = 4;
    static readonly TimeSpan RestartTimeout = TimeSpan.FromMilliseconds(100);

    readonly Connection _connection;
    readonly Reader _reader;
    readonly TimeSpan _busyTimeout;
    readonly long _checkpointPages;
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
    Durability? _durability;
    bool _hasUnflushed;
    volatile bool _isCheckpointDue;
    long _pagesSinceCheckpoint;
    long _restartAtPages;

    public Writer(Connection connection, SqliteStorageOptions options)
    {
        _connection = connection;
        _busyTimeout = options.BusyTimeout;
        int pageSize = (int)connection.QueryInteger("PRAGMA page_size");
        _checkpointPages = Math.Max(1, options.CheckpointBytes / pageSize);
        _maxEntryBytes = FileFormat.MaxEntryBytes(pageSize);
        _restartAtPages = RestartFactor * _checkpointPages;
        // Checkpoints are this class's own affair, and a log that a long snapshot made large gives its space back.
        connection.Execute("PRAGMA wal_autocheckpoint = 0");
        connection.Execute($"PRAGMA journal_size_limit = {2 * options.CheckpointBytes}");
        if (options.MaxFileBytes is { } maxFileBytes)
            connection.Execute($"PRAGMA max_page_count = {maxFileBytes / pageSize}");
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
        KeepLogSmall();
    }

    /// <summary>
    /// Whether a checkpoint was hindered by snapshots, so that it should be made when there are none. Written under the lock of the writer,
    /// read by whoever disposes a snapshot.
    /// </summary>
    public bool IsCheckpointDue => _isCheckpointDue;

    /// <summary>Moves what no snapshot hinders from the log into the file, without waiting.</summary>
    /// <returns>The pages that the log has.</returns>
    public int Checkpoint()
    {
        _reader.End();
        _isCheckpointDue = !_connection.TryCheckpoint(raw.SQLITE_CHECKPOINT_PASSIVE, out int logPages);
        return logPages;
    }

    /// <summary>Writes the file anew without its free space, and gives that back to the disk as soon as no snapshot needs it.</summary>
    public void Compact(CancellationToken cancellationToken)
    {
        UseDurability(Durability.Flushed);
        _reader.End();
        using (_connection.InterruptWhen(cancellationToken))
            _connection.Execute("VACUUM");
        _hasUnflushed = false;
        _isCheckpointDue = !TryCheckpointPatiently(raw.SQLITE_CHECKPOINT_TRUNCATE, out _);
    }

    public void Dispose() => _reader.Dispose();

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

    /// <summary>
    /// Moves the log into the file each time it has grown by the size that was asked for. That never waits; but the log can start again
    /// from empty only when no snapshot needs it, and with enough overlapping snapshots there is always one. So beyond a size it waits a
    /// little for those that are open: new ones meanwhile read from the file alone. A snapshot that stays open for longer lets the log
    /// grow, and costs a wait only each time the log has grown by as much again.
    /// </summary>
    void KeepLogSmall()
    {
        _pagesSinceCheckpoint += _connection.TakePagesWritten();
        if (_pagesSinceCheckpoint < _checkpointPages)
            return;
        _pagesSinceCheckpoint = 0;
        int logPages = Checkpoint();
        if (logPages < RestartFactor * _checkpointPages)
            _restartAtPages = RestartFactor * _checkpointPages;
        if (logPages < _restartAtPages)
            return;
        bool restarted = TryCheckpointPatiently(raw.SQLITE_CHECKPOINT_RESTART, out logPages);
        _restartAtPages = RestartFactor * _checkpointPages + (restarted ? 0 : logPages);
    }

    bool TryCheckpointPatiently(int mode, out int logPages)
    {
        _connection.BusyTimeout = RestartTimeout;
        bool isDone = _connection.TryCheckpoint(mode, out logPages);
        _connection.BusyTimeout = _busyTimeout;
        return isDone;
    }
}
