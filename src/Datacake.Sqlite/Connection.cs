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
    readonly ConnectionHandle _owner;
    readonly nint _handle;
    unsafe int* _logPages;              // Written by the commit hook.

    /// <summary>Opens the file for reading, or for writing too. For writing, a missing file is created.</summary>
    public Connection(string path, bool writes, string description, SqliteStorageOptions options)
        : this(path, writes ? raw.SQLITE_OPEN_READWRITE | raw.SQLITE_OPEN_CREATE : raw.SQLITE_OPEN_READONLY, description, options)
    {
    }

    Connection(string path, int flags, string description, SqliteStorageOptions options)
    {
        _description = description;
        // The callers do the locking, so SQLite's own mutexes would only add overhead.
        flags |= raw.SQLITE_OPEN_NOMUTEX;
        int code = Native.Open(path, out _handle, flags, fileSystem: 0);
        _owner = new ConnectionHandle(_handle);
        try
        {
            Check(code);
            _ = Native.UseExtendedResultCodes(_handle, 1);
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

    /// <summary>Opens a file that nobody changes meanwhile, for reading. SQLite then needs no lock, no log and no file beside it.</summary>
    public static Connection OpenUnchanging(string path, string description, SqliteStorageOptions options)
    {
        string escaped = Uri.EscapeDataString(path.Replace('\\', '/')).Replace("%2F", "/", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal);
        string name = $"file://{(escaped.StartsWith('/') ? "" : "/")}{escaped}?immutable=1";
        return new Connection(name, raw.SQLITE_OPEN_READONLY | raw.SQLITE_OPEN_URI, description, options);
    }

    /// <summary>Sets how long SQLite waits for a lock that another connection holds.</summary>
    public TimeSpan BusyTimeout { set => _ = Native.SetBusyTimeout(_handle, (int)value.TotalMilliseconds); }

    /// <summary>Gets the id of the last inserted row.</summary>
    public long LastRowId => Native.LastRowId(_handle);

    /// <summary>Gets whether a transaction is open.</summary>
    public bool InTransaction => Native.IsAutocommit(_handle) == 0;

    /// <summary>Prepares a statement for the lifetime of the connection.</summary>
    public Statement Prepare(string sql)
    {
        Check(Native.Prepare(_handle, sql, -1, raw.SQLITE_PREPARE_PERSISTENT, out Statement statement, tail: 0));
        return statement;
    }

    /// <summary>Adds a function that statements of this connection can call.</summary>
    public unsafe void AddFunction(string name, int arguments, delegate* unmanaged[Cdecl]<nint, int, nint*, void> function, nint data) =>
        Check(Native.CreateFunction(_handle, name, arguments, raw.SQLITE_UTF8, data, function, step: 0, final: 0, destroy: 0));

    public unsafe void Bind(Statement statement, int parameter, ReadOnlySpan<byte> blob)
    {
        fixed (byte* bytes = blob)
            Check(Native.BindBlob(statement, parameter, bytes is null ? (byte*)statement.Handle : bytes, blob.Length, Native.Transient));
    }

    /// <summary>Binds memory without copying it. The memory must be pinned, and must not change until the statement has run.</summary>
    public unsafe void BindInPlace(Statement statement, int parameter, ReadOnlySpan<byte> pinned)
    {
        // A null pointer would bind NULL, so an empty blob needs some other pointer.
        byte* bytes = pinned.IsEmpty ? (byte*)statement.Handle : (byte*)Unsafe.AsPointer(in MemoryMarshal.GetReference(pinned));
        Check(Native.BindBlob(statement, parameter, bytes, pinned.Length, Native.InPlace));
    }

    public void BindNull(Statement statement, int parameter) => Check(Native.BindNull(statement, parameter));

    public void Bind(Statement statement, int parameter, long number) =>
        Check(Native.BindInteger(statement, parameter, number));

    /// <summary>Moves to the next row, and returns whether there is one. The caller resets the statement after the last row.</summary>
    public bool Step(Statement statement)
    {
        int code = Native.Step(statement);
        if (code == raw.SQLITE_ROW)
            return true;
        if (code != raw.SQLITE_DONE)
            throw Error(code);
        return false;
    }

    /// <summary>Runs a prepared statement that returns no rows.</summary>
    public void Run(Statement statement)
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
    public bool RunChanges(Statement statement)
    {
        Run(statement);
        return Native.Changes(_handle) > 0;
    }

    /// <summary>
    /// Resets a statement for its next run, and releases the data that it reads. Errors are ignored: they repeat that of the last step.
    /// </summary>
    public static void Reset(Statement statement) => _ = Native.Reset(statement);

    /// <summary>Returns whether a column of the current row is an integer and not a blob.</summary>
    public static bool IsInteger(Statement row, int column) =>
        Native.ColumnType(row, column) == raw.SQLITE_INTEGER;

    /// <summary>Returns a blob of the current row. It is in SQLite's memory and valid until the next step.</summary>
    public static unsafe ReadOnlySpan<byte> Blob(Statement row, int column)
    {
        byte* bytes = Native.ColumnBlob(row, column);
        return bytes is null ? default : new(bytes, Native.ColumnBytes(row, column));
    }

    /// <summary>Runs a statement once, and ignores any rows that it returns.</summary>
    public void Execute(string sql) => Check(Native.Execute(_handle, sql, callback: 0, argument: 0, message: 0));

    /// <summary>Returns the first column of the first row of a query, as text.</summary>
    public string Query(string sql) => QueryAll(sql) is [string first, ..] ? first : "";

    public long QueryInteger(string sql) => long.Parse(Query(sql), provider: null);

    /// <summary>Returns the integer that a prepared statement returns.</summary>
    public long QueryInteger(Statement statement)
    {
        try
        {
            return Step(statement) ? Native.ColumnInteger(statement, 0) : 0;
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
        Check(Native.Prepare(_handle, sql, -1, flags: 0, out Statement statement, tail: 0));
        try
        {
            while (Step(statement))
                rows.Add(Marshal.PtrToStringUTF8(Native.ColumnText(statement, 0)) ?? "");
        }
        finally
        {
            _ = Native.Finalize(statement);
        }
        return rows;
    }

    /// <summary>
    /// Interrupts the running statement when the token is canceled. Dispose the registration before the connection.
    /// </summary>
    public CancellationTokenRegistration InterruptWhen(CancellationToken cancellationToken) =>
        cancellationToken.Register(() => Native.Interrupt(_handle));

    /// <summary>Begins to update <see cref="LogPages"/>. The connection must have no other commit hook.</summary>
    public unsafe void CountLogPages()
    {
        _logPages = (int*)NativeMemory.AllocZeroed(sizeof(int));
        Native.WalHook(_handle, &OnCommitted, _logPages);
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
        int code = Native.Checkpoint(_handle, "main", mode, out logPages, out movedPages);
        return code == raw.SQLITE_OK && movedPages == logPages;
    }

    /// <summary>Creates the exception for a commit that does not fit into a file of the maximum size.</summary>
    public StorageException LimitError(long maxBytes) => new(
        StorageError.Full,
        $"The {_description} has reached its maximum size of {maxBytes} bytes. Nothing of this operation was stored, and earlier data is intact. "
            + $"Delete data, for which some space is reserved, or raise {nameof(SqliteStorageOptions.MaxFileBytes)}, which takes effect when the store is opened again.");

    /// <summary>Creates the exception for contents that this library cannot have written.</summary>
    public StorageException Damaged(string reason) => new(StorageError.Corrupt, DamagedMessage(reason));

    public unsafe void Dispose()
    {
        _owner.Dispose();
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
        string reason = $"{Marshal.PtrToStringUTF8(Native.ErrorMessage(_handle))} (SQLite error {Native.ExtendedErrorCode(_handle)})";
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
