using System.Runtime.InteropServices;

namespace Datacake.Sqlite;

/// <summary>
/// The functions of SQLite that are called for each row. SQLitePCLRaw counts the references to its handles at each call, which takes longer than
/// most of these do.
/// </summary>
static unsafe partial class Native
{
    /// <summary>Tells SQLite that what is bound stays where it is.</summary>
    public const nint InPlace = 0;

    /// <summary>Tells SQLite to copy what is bound.</summary>
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

    // These only look at the row that a step has left in memory.
    [LibraryImport(Library, EntryPoint = "sqlite3_column_type"), SuppressGCTransition]
    public static partial int ColumnType(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_blob"), SuppressGCTransition]
    public static partial byte* ColumnBlob(nint statement, int column);

    [LibraryImport(Library, EntryPoint = "sqlite3_column_bytes"), SuppressGCTransition]
    public static partial int ColumnBytes(nint statement, int column);
}
