using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Datacake.Storage;
using SQLitePCL;

namespace Datacake.Sqlite;

/// <summary>A connection to a SQLite file through the C interface. Not thread-safe.</summary>
/// <remarks>
/// It does not use Microsoft.Data.Sqlite. Without the commands, parameters and readers of that library, puts are twice as fast and gets a
/// third faster, and a few fixed statements need none of its features.
/// </remarks>
sealed class Connection : IDisposable
{
    readonly string _description;
    readonly sqlite3 _handle;
    readonly List<sqlite3_stmt> _statements = [];
    unsafe int* _logPages;              // Written by the commit hook.

    /// <summary>Opens the file for reading, or for writing too. For writing, a missing file is created.</summary>
    public Connection(string path, bool writes, string description, SqliteStorageOptions options)
    {
        _description = description;
        // The callers do the locking, so SQLite's own mutexes would only add overhead.
        int flags = raw.SQLITE_OPEN_NOMUTEX | (writes ? raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE : raw.SQLITE_OPEN_READONLY);
        int code = raw.sqlite3_open_v2(path, out _handle, flags, null);
        try
        {
            Check(code);
            raw.sqlite3_extended_result_codes(_handle, 1);
            BusyTimeout = options.BusyTimeout;
            Execute($"PRAGMA cache_size = -{options.CacheBytes / 1024}");
            // A damaged file must not cause reads outside a page or run code.
            Execute("PRAGMA cell_size_check = ON");
            Execute("PRAGMA trusted_schema = OFF");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Sets how long SQLite waits for a lock that another connection holds.</summary>
    public TimeSpan BusyTimeout { set => raw.sqlite3_busy_timeout(_handle, (int)value.TotalMilliseconds); }

    /// <summary>Gets the id of the last inserted row.</summary>
    public long LastRowId => raw.sqlite3_last_insert_rowid(_handle);

    /// <summary>Gets whether a transaction is open.</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(_handle) == 0;

    /// <summary>Prepares a statement for the lifetime of the connection.</summary>
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

    /// <summary>Binds memory without copying it. The memory must be pinned, and must not change until the statement has run.</summary>
    public unsafe void BindInPlace(sqlite3_stmt statement, int parameter, ReadOnlySpan<byte> pinned)
    {
        nint handle = statement.DangerousGetHandle();
        // A null pointer would bind NULL, so an empty blob needs some other pointer.
        byte* bytes = pinned.IsEmpty ? (byte*)handle : (byte*)Unsafe.AsPointer(in MemoryMarshal.GetReference(pinned));
        Check(Native.BindBlob(handle, parameter, bytes, pinned.Length, Native.InPlace));
    }

    public void BindNull(sqlite3_stmt statement, int parameter) => Check(raw.sqlite3_bind_null(statement, parameter));

    public void Bind(sqlite3_stmt statement, int parameter, long number) =>
        Check(raw.sqlite3_bind_int64(statement, parameter, number));

    /// <summary>Moves to the next row, and returns whether there is one. The caller resets the statement after the last row.</summary>
    public bool Step(sqlite3_stmt statement)
    {
        int code = Native.Step(statement.DangerousGetHandle());
        if (code == raw.SQLITE_ROW)
            return true;
        if (code != raw.SQLITE_DONE)
            throw Error(code);
        return false;
    }

    /// <summary>Runs a prepared statement that returns no rows.</summary>
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

    /// <summary>Runs a prepared statement that returns no rows, and returns whether it has changed any.</summary>
    public bool RunChanges(sqlite3_stmt statement)
    {
        Run(statement);
        return raw.sqlite3_changes(_handle) > 0;
    }

    /// <summary>
    /// Resets a statement for its next run, and releases the data that it reads. Errors are ignored: they repeat that of the last step.
    /// </summary>
    public static void Reset(sqlite3_stmt statement) => _ = Native.Reset(statement.DangerousGetHandle());

    /// <summary>Returns whether a column of the current row is an integer and not a blob.</summary>
    public static bool IsInteger(sqlite3_stmt row, int column) =>
        Native.ColumnType(row.DangerousGetHandle(), column) == raw.SQLITE_INTEGER;

    /// <summary>Returns a blob of the current row. It is in SQLite's memory and valid until the next step.</summary>
    public static unsafe ReadOnlySpan<byte> Blob(sqlite3_stmt row, int column)
    {
        nint handle = row.DangerousGetHandle();
        byte* bytes = Native.ColumnBlob(handle, column);
        return bytes is null ? default : new(bytes, Native.ColumnBytes(handle, column));
    }

    /// <summary>Runs a statement once, and ignores any rows that it returns.</summary>
    public void Execute(string sql) => Check(raw.sqlite3_exec(_handle, sql));

    /// <summary>Returns the first column of the first row of a query, as text.</summary>
    public string Query(string sql)
    {
        Check(raw.sqlite3_prepare_v2(_handle, sql, out sqlite3_stmt statement));
        using (statement)
            return Step(statement) ? raw.sqlite3_column_text(statement, 0).utf8_to_string() : "";
    }

    public long QueryInteger(string sql) => long.Parse(Query(sql), provider: null);

    /// <summary>Returns the integer that a prepared statement returns.</summary>
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

    /// <summary>Returns the first column of all rows of a query, as text.</summary>
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

    /// <summary>
    /// Interrupts the running statement when the token is canceled. Dispose the registration before the connection.
    /// </summary>
    public CancellationTokenRegistration InterruptWhen(CancellationToken cancellationToken) =>
        cancellationToken.Register(() => raw.sqlite3_interrupt(_handle));

    /// <summary>Begins to update <see cref="LogPages"/>. The connection must have no other commit hook.</summary>
    public unsafe void CountLogPages()
    {
        _logPages = (int*)NativeMemory.AllocZeroed(sizeof(int));
        Native.WalHook(_handle.DangerousGetHandle(), &OnCommitted, _logPages);
    }

    /// <summary>Gets the size of the write-ahead log after the last commit of this connection, in pages.</summary>
    public unsafe int LogPages => *_logPages;

    /// <summary>Moves as much as possible from the write-ahead log to the file.</summary>
    /// <param name="mode">
    /// The checkpoint mode of SQLite. The passive mode does not wait for readers of the log; the others wait up to <see cref="BusyTimeout"/>.
    /// </param>
    /// <param name="logPages">The size of the log, in pages.</param>
    /// <param name="movedPages">The number of these pages that the file contains.</param>
    /// <returns>True if the whole log was moved and, in the modes that ask for it, will restart from empty.</returns>
    public bool TryCheckpoint(int mode, out int logPages, out int movedPages)
    {
        int code = raw.sqlite3_wal_checkpoint_v2(_handle, "main", mode, out logPages, out movedPages);
        return code == raw.SQLITE_OK && movedPages == logPages;
    }

    /// <summary>Creates the exception for a commit that does not fit into a file of the maximum size.</summary>
    public StorageException LimitError(long maxBytes) => new(
        StorageError.Full,
        $"The {_description} has reached its maximum size of {maxBytes} bytes. Nothing of this operation was stored, and earlier data is intact. "
            + $"Delete data, for which some space is reserved, or raise {nameof(SqliteStorageOptions.MaxFileBytes)}.");

    /// <summary>Creates the exception for contents that this library cannot have written.</summary>
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
            return new OperationCanceledException($"The operation on the {_description} was interrupted. The store is unchanged.");
        string reason = $"{raw.sqlite3_errmsg(_handle).utf8_to_string()} (SQLite error {raw.sqlite3_extended_errcode(_handle)})";
        (StorageError error, string message) = (code & 0xFF) switch
        {
            raw.SQLITE_CANTOPEN or raw.SQLITE_PERM or raw.SQLITE_READONLY or raw.SQLITE_AUTH => (
                StorageError.Inaccessible,
                $"The {_description} cannot be opened or written: {reason}. Check the path, and the permissions of this process on the file and "
                    + "its directory."),
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => (StorageError.Corrupt, DamagedMessage(reason)),
            raw.SQLITE_FULL => (
                StorageError.Full,
                $"The disk of the {_description} is full: {reason}. Nothing of this operation was stored, and earlier data is intact. Free some "
                    + "space and retry."),
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => (
                StorageError.AlreadyOpen,
                $"The {_description} is locked by another program: {reason}. Close other programs that have the file open."),
            _ => (StorageError.Failed, $"The {_description} failed: {reason}."),
        };
        return new StorageException(error, message);
    }

    string DamagedMessage(string reason) =>
        $"The {_description} is damaged or not a SQLite file: {reason}. Restore it from a backup, or move it away and start with an empty store, "
            + "which the other nodes refill (set TakeOverNodeId).";
}
