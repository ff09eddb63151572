using System.Runtime.InteropServices;

namespace Datacake.Sqlite;

/// <summary>
/// The SQLite functions that are called for every row. SQLitePCLRaw counts the references to its handles on each call, which takes longer
/// than most of these functions.
/// </summary>
static unsafe partial class Native
{
    /// <summary>The destructor argument that tells SQLite to use the bound memory in place (<c>SQLITE_STATIC</c>).</summary>
    public const nint InPlace = 0;

    /// <summary>The destructor argument that tells SQLite to copy the bound memory (<c>SQLITE_TRANSIENT</c>).</summary>
    public const nint Transient = -1;

    const string Library = "e_sqlite3";

    [LibraryImport(Library, EntryPoint = "sqlite3_step")]
    public static partial int Step(nint statement);

    [LibraryImport(Library, EntryPoint = "sqlite3_reset")]
    public static partial int Reset(nint statement);

    [LibraryImport(Library, EntryPoint = "sqlite3_bind_blob")]
    public static partial int BindBlob(nint statement, int parameter, byte* bytes, int length, nint destructor);

    [LibraryImport(Library, EntryPoint = "sqlite3_wal_hook")]
    public static partial nint WalHook(nint connection, delegate* unmanaged[Cdecl]<int*, nint, byte*, int, int> hook, int* argument);

    // These only read the current row, which is already in memory, and are too short to need a GC transition.
    [LibraryImport(Library, EntryPoint = "sqlite3_column_type"), SuppressGCTransition]
    public static partial int ColumnType(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_blob"), SuppressGCTransition]
    public static partial byte* ColumnBlob(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_bytes"), SuppressGCTransition]
    public static partial int ColumnBytes(nint statement, int column);
}
