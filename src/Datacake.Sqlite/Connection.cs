using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Datacake.Storage;
using SQLitePCL;

namespace Datacake.Sqlite;

/// <summary>One connection to a SQLite file, over the C interface. Not thread-safe.</summary>
/// <remarks>
/// Not over Microsoft.Data.Sqlite: without its commands, parameters and readers twice as many puts and a third more gets take the same
/// time, and a few fixed statements need nothing of what these offer.
/// </remarks>
sealed class Connection : IDisposable
{
    readonly string _description;
    readonly sqlite3 _handle;
    readonly List<sqlite3_stmt> _statements = [];
    unsafe int* _logPages;              // where the hook for commits puts them

    /// <summary>Opens the file, to write (it is created if it is not there) or only to read.</summary>
    public Connection(string path, bool writes, string description, SqliteStorageOptions options)
    {
        _description = description;
        // The callers lock: SQLite's own mutexes would only add to it.
        int flags = raw.SQLITE_OPEN_NOMUTEX | (writes ? raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE : raw.SQLITE_OPEN_READONLY);
        int code = raw.sqlite3_open_v2(path, out _handle, flags, null);
        try
        {
            Check(code);
            raw.sqlite3_extended_result_codes(_handle, 1);
            BusyTimeout = options.BusyTimeout;
            Execute($"PRAGMA cache_size = -{options.CacheBytes / 1024}");
            // What a damaged file says must not lead outside a page, nor run code.
            Execute("PRAGMA cell_size_check = ON");
            Execute("PRAGMA trusted_schema = OFF");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How long SQLite waits for a lock that another connection holds.</summary>
    public TimeSpan BusyTimeout { set => raw.sqlite3_busy_timeout(_handle, (int)value.TotalMilliseconds); }

    /// <summary>The number of the row that was inserted last.</summary>
    public long LastRowId => raw.sqlite3_last_insert_rowid(_handle);

    /// <summary>Whether a transaction is open.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(_handle) == 0;

    /// <summary>Prepares a statement for the life of the connection.</summary>
    public sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v3(_handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out sqlite3_stmt statement));
        _statements.Add(statement);
        return statement;
    }

    public unsafe void Bind(sqlite3_stmt statement, int parameter, ReadOnlySpan<byte> blob)
    {
        nint handle = statement.DangerousGetHandle();
        fixed (byte* bytes = blob)
            Check(Native.BindBlob(handle, parameter, bytes is null ? (byte*)handle : bytes, blob.Length, Native.Transient));
    }

    /// <summary>Binds memory that stays where it is, and as it is, as long as the statement runs.</summary>
    public unsafe void BindInPlace(sqlite3_stmt statement, int parameter, ReadOnlySpan<byte> pinned)
    {
        nint handle = statement.DangerousGetHandle();
        // An empty blob is somewhere: nowhere is NULL.
        byte* bytes = pinned.IsEmpty ? (byte*)handle : (byte*)Unsafe.AsPointer(in MemoryMarshal.GetReference(pinned));
        Check(Native.BindBlob(handle, parameter, bytes, pinned.Length, Native.InPlace));
    }

    public void BindNull(sqlite3_stmt statement, int parameter) => Check(raw.sqlite3_bind_null(statement, parameter));

    public void Bind(sqlite3_stmt statement, int parameter, long number) =>
        Check(raw.sqlite3_bind_int64(statement, parameter, number));

    /// <summary>Whether there is a row. The statement must be reset after the last one.</summary>
    public bool Step(sqlite3_stmt statement)
    {
        int code = Native.Step(statement.DangerousGetHandle());
        if (code == raw.SQLITE_ROW)
            return true;
        if (code != raw.SQLITE_DONE)
            throw Error(code);
        return false;
    }

    /// <summary>Runs a prepared statement that returns no row.</summary>
    public void Run(sqlite3_stmt statement)
    {
        try
        {
            Step(statement);
        }
        finally
        {
            Reset(statement);
        }
    }

    /// <summary>Runs a prepared statement that returns no row. Whether it has changed any.</summary>
    public bool RunChanges(sqlite3_stmt statement)
    {
        Run(statement);
        return raw.sqlite3_changes(_handle) > 0;
    }

    /// <summary>Makes a statement ready for the next run, and lets go what it reads. Its failure is that of the step before.</summary>
    public static void Reset(sqlite3_stmt statement) => _ = Native.Reset(statement.DangerousGetHandle());

    /// <summary>Whether a column of the current row is a number, and no blob.</summary>
    public static bool IsInteger(sqlite3_stmt row, int column) =>
        Native.ColumnType(row.DangerousGetHandle(), column) == raw.SQLITE_INTEGER;

    /// <summary>A blob of the current row, in SQLite's memory, which the next step takes back.</summary>
    public static unsafe ReadOnlySpan<byte> Blob(sqlite3_stmt row, int column)
    {
        nint handle = row.DangerousGetHandle();
        byte* bytes = Native.ColumnBlob(handle, column);
        return bytes is null ? default : new(bytes, Native.ColumnBytes(handle, column));
    }

    /// <summary>Runs a statement once, and ignores what it returns.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>The first column of the first row that a statement returns, as text.</summary>
    public string Query(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_handle, sql, out sqlite3_stmt statement));
        using (statement)
            return Step(statement) ? raw.sqlite3_column_text(statement, 0).utf8_to_string() : "";
    }

    public long QueryInteger(string sql) => long.Parse(Query(sql), provider: null);

    /// <summary>The number that a prepared statement returns.</summary>
    public long QueryInteger(sqlite3_stmt statement)
    {
        try
        {
            return Step(statement) ? raw.sqlite3_column_int64(statement, 0) : 0;
        }
        finally
        {
            Reset(statement);
        }
    }

    /// <summary>The first column of all rows that a statement returns, as text.</summary>
    public List<string> QueryAll(string sql)
    {
        var rows = new List<string>();
        Check(raw.sqlite3_prepare_v2(_handle, sql, out sqlite3_stmt statement));
        using (statement)
        {
            while (Step(statement))
                rows.Add(raw.sqlite3_column_text(statement, 0).utf8_to_string());
        }
        return rows;
    }

    /// <summary>Makes whatever statement is running when the token is cancelled fail. It must be disposed before the connection.</summary>
    public CancellationTokenRegistration InterruptWhen(CancellationToken cancellationToken) =>
        cancellationToken.Register(() => raw.sqlite3_interrupt(_handle));

    /// <summary>Keeps <see cref="LogPages"/> from now on. There must be no other hook for commits.</summary>
    public unsafe void CountLogPages()
    {
        _logPages = (int*)NativeMemory.AllocZeroed(sizeof(int));
        Native.WalHook(_handle.DangerousGetHandle(), &OnCommitted, _logPages);
    }

    /// <summary>The size of the write-ahead log, after the last commit of this connection.</summary>
    public unsafe int LogPages => *_logPages;

    /// <summary>Moves what it can from the write-ahead log to the file.</summary>
    /// <param name="mode">SQLite's: passive waits for no reader of the log, the others up to <see cref="BusyTimeout"/>.</param>
    /// <param name="logPages">The size of the log.</param>
    /// <param name="movedPages">How much of it the file has.</param>
    /// <returns>Whether all was moved and, if asked, the log starts again from empty.</returns>
    public bool TryCheckpoint(int mode, out int logPages, out int movedPages)
    {
        int code = raw.sqlite3_wal_checkpoint_v2(_handle, "main", mode, out logPages, out movedPages);
        return code == raw.SQLITE_OK && movedPages == logPages;
    }

    /// <summary>The exception for a commit that does not fit into the file.</summary>
    public StorageException FullError(string reason) => new(
        StorageError.Full,
        $"The {_description} cannot grow, because the disk or the size that the file was given is full: {reason}. Nothing of this was stored, and what was "
            + $"before is unharmed. Delete something, free some space, or raise {nameof(SqliteStorageOptions.MaxFileBytes)}, and try again.");

    /// <summary>The exception for contents that this library cannot have written.</summary>
    public StorageException Damaged(string reason) => new(StorageError.Corrupt, DamagedMessage(reason));

    public unsafe void Dispose()
    {
        foreach (sqlite3_stmt statement in _statements)
            statement.Dispose();
        _handle.Dispose();
        NativeMemory.Free(_logPages);
        _logPages = null;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static unsafe int OnCommitted(int* logPages, nint connection, byte* database, int pages)
    {
        *logPages = pages;
        return raw.SQLITE_OK;
    }

    void Check(int code)
    {
        if (code != raw.SQLITE_OK)
            throw Error(code);
    }

    Exception Error(int code)
    {
        if (code == raw.SQLITE_INTERRUPT)
            return new OperationCanceledException($"The {_description} was interrupted, and is as it was.");
        string reason = $"{raw.sqlite3_errmsg(_handle).utf8_to_string()} (SQLite error {raw.sqlite3_extended_errcode(_handle)})";
        if ((code & 0xFF) == raw.SQLITE_FULL)
            return FullError(reason);
        (StorageError error, string message) = (code & 0xFF) switch
        {
            raw.SQLITE_CANTOPEN or raw.SQLITE_PERM or raw.SQLITE_READONLY or raw.SQLITE_AUTH => (
                StorageError.Inaccessible,
                $"The {_description} cannot be opened or written: {reason}. Check the path, and that this process may read and write the "
                    + "file and its directory."),
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => (StorageError.Corrupt, DamagedMessage(reason)),
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => (
                StorageError.AlreadyOpen,
                $"The {_description} is locked by another program: {reason}. Close what else has the file open."),
            _ => (StorageError.Failed, $"The {_description} failed: {reason}."),
        };
        return new StorageException(error, message);
    }

    string DamagedMessage(string reason) =>
        $"The {_description} is damaged, or not a SQLite file at all: {reason}. Restore it from a backup, or move it away and start with "
            + "an empty store, which the other nodes fill again (set TakeOverNodeId).";
}
