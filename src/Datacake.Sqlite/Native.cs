using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Datacake.Sqlite;

/// <summary>The functions of SQLite's C interface that the store uses, from the library that <see cref="SqliteLibrary"/> finds.</summary>
/// <remarks>
/// It does not call SQLitePCLRaw, for two reasons. The functions of that library count the references to their handles on each call, which
/// takes longer than most of the functions that are called for every row. And they belong to another native library as soon as the application
/// chooses another provider, while the handles of an open store stay those of the first.
/// </remarks>
static unsafe partial class Native
{
    /// <summary>The name of the library in the imports.</summary>
    public const string Library = "e_sqlite3";

    /// <summary>The destructor argument that tells SQLite to use the bound memory in place (<c>SQLITE_STATIC</c>).</summary>
    public const nint InPlace = 0;

    /// <summary>The destructor argument that tells SQLite to copy the bound memory (<c>SQLITE_TRANSIENT</c>).</summary>
    public const nint Transient = -1;

    [LibraryImport(Library, EntryPoint = "sqlite3_open_v2", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int Open(string path, out nint connection, int flags, nint fileSystem);

    [LibraryImport(Library, EntryPoint = "sqlite3_close_v2"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int Close(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_extended_result_codes"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int UseExtendedResultCodes(nint connection, int isOn);

    [LibraryImport(Library, EntryPoint = "sqlite3_extended_errcode"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int ExtendedErrorCode(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_errmsg"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial nint ErrorMessage(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_busy_timeout"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int SetBusyTimeout(nint connection, int milliseconds);

    [LibraryImport(Library, EntryPoint = "sqlite3_interrupt"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial void Interrupt(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_get_autocommit"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int IsAutocommit(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_last_insert_rowid"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial long LastRowId(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_changes"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int Changes(nint connection);

    [LibraryImport(Library, EntryPoint = "sqlite3_wal_hook"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial nint WalHook(nint connection, delegate* unmanaged[Cdecl]<int*, nint, byte*, int, int> hook, int* argument);

    [LibraryImport(Library, EntryPoint = "sqlite3_wal_checkpoint_v2", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int Checkpoint(nint connection, string database, int mode, out int logPages, out int movedPages);

    [LibraryImport(Library, EntryPoint = "sqlite3_exec", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int Execute(nint connection, string sql, nint callback, nint argument, nint message);

    [LibraryImport(Library, EntryPoint = "sqlite3_prepare_v3", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int Prepare(nint connection, string sql, int length, uint flags, out Statement statement, nint tail);

    [LibraryImport(Library, EntryPoint = "sqlite3_next_stmt"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial Statement NextStatement(nint connection, Statement previous);

    [LibraryImport(Library, EntryPoint = "sqlite3_finalize"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int Finalize(Statement statement);

    [LibraryImport(Library, EntryPoint = "sqlite3_step"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int Step(Statement statement);

    [LibraryImport(Library, EntryPoint = "sqlite3_reset"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int Reset(Statement statement);

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_blob"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int BindBlob(Statement statement, int parameter, byte* bytes, int length, nint destructor);

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_null"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int BindNull(Statement statement, int parameter);

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_int64"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int BindInteger(Statement statement, int parameter, long number);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_text"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial nint ColumnText(Statement statement, int column);

    // These only read the current row, which is already in memory, and are too short to need a GC transition.
    [LibraryImport(Library, EntryPoint = "sqlite3_column_type"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)]), SuppressGCTransition]
    public static partial int ColumnType(Statement statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_int64"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)]), SuppressGCTransition]
    public static partial long ColumnInteger(Statement statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_blob"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)]), SuppressGCTransition]
    public static partial byte* ColumnBlob(Statement statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_bytes"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)]), SuppressGCTransition]
    public static partial int ColumnBytes(Statement statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_create_function_v2", StringMarshalling = StringMarshalling.Utf8)]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    public static partial int CreateFunction(
        nint connection, string name, int arguments, int encoding, nint data, delegate* unmanaged[Cdecl]<nint, int, nint*, void> function, nint step, nint final, nint destroy);

    [LibraryImport(Library, EntryPoint = "sqlite3_user_data"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)]), SuppressGCTransition]
    public static partial nint UserData(nint context);

    [LibraryImport(Library, EntryPoint = "sqlite3_value_type"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)]), SuppressGCTransition]
    public static partial int ValueType(nint value);

    [LibraryImport(Library, EntryPoint = "sqlite3_value_blob"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)]), SuppressGCTransition]
    public static partial byte* ValueBlob(nint value);

    [LibraryImport(Library, EntryPoint = "sqlite3_value_bytes"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)]), SuppressGCTransition]
    public static partial int ValueBytes(nint value);

    [LibraryImport(Library, EntryPoint = "sqlite3_result_int"), UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)]), SuppressGCTransition]
    public static partial void ReturnInteger(nint context, int value);
}
