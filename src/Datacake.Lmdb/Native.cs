using System.Reflection;
using System.Runtime.InteropServices;

namespace Datacake.Lmdb;

/// <summary>The functions of liblmdb that the store uses. They are the same in LMDB 0.9 and 1.0.</summary>
static unsafe partial class Native
{
    const string Library = "lmdb";

    // The bundled library first. It needs a recent C library; older Linux distributions have an LMDB of their own.
    static readonly string[] Candidates = [Library, "liblmdb.so.0"];

    static Native() => NativeLibrary.SetDllImportResolver(typeof(Native).Assembly, Resolve);

    static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name == Library)
        {
            foreach (string candidate in Candidates)
            {
                if (NativeLibrary.TryLoad(candidate, assembly, searchPath, out nint library))
                    return library;
            }
        }
        return 0;
    }

    /// <summary>Bytes that belong to the caller or, returned, to the map: these are valid until the transaction ends.</summary>
    public struct Value(byte* data, int length)
    {
        public nuint Length = (nuint)length;
        public byte* Data = data;

        public readonly ReadOnlySpan<byte> Span => new(Data, checked((int)Length));
    }

    public struct Info
    {
        public nint MapAddress;
        public nuint MapSize;
        public nuint LastPage;
        public nuint LastTransaction;
        public uint MaxReaders;
        public uint Readers;
    }

    public struct Statistics
    {
        public uint PageSize;
        public uint Depth;
        public nuint BranchPages;
        public nuint LeafPages;
        public nuint OverflowPages;
        public nuint Entries;
    }

    [Flags]
    public enum EnvironmentFlags : uint
    {
        NoSubDirectory = 0x4000,
        NoSync = 0x10000,
        NoMetaSync = 0x40000,

        /// <summary>A read transaction belongs to whoever has it, not to a thread.</summary>
        NoThreadLocalStorage = 0x200000,
    }

    [Flags]
    public enum TransactionFlags : uint
    {
        ReadOnly = 0x20000,
    }

    public enum CursorOperation
    {
        Last = 6,
        Next = 8,
        Previous = 12,
        SetRange = 17,
    }

    public enum Result
    {
        Success = 0,
        NotFound = -30798,
        PageNotFound = -30797,
        Corrupted = -30796,
        Panic = -30795,
        VersionMismatch = -30794,
        Invalid = -30793,
        MapFull = -30792,
        ReadersFull = -30790,
        TransactionFull = -30788,
    }

    [LibraryImport(Library)]
    public static partial byte* mdb_version(out int major, out int minor, out int patch);

    [LibraryImport(Library)]
    public static partial byte* mdb_strerror(Result result);

    [LibraryImport(Library)]
    public static partial Result mdb_env_create(out nint environment);

    [LibraryImport(Library)]
    public static partial Result mdb_env_set_mapsize(nint environment, nuint bytes);

    [LibraryImport(Library)]
    public static partial Result mdb_env_set_maxreaders(nint environment, uint readers);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial Result mdb_env_open(nint environment, string path, EnvironmentFlags flags, uint mode);

    [LibraryImport(Library)]
    public static partial void mdb_env_close(nint environment);

    [LibraryImport(Library)]
    public static partial Result mdb_env_set_flags(nint environment, EnvironmentFlags flags, int on);

    [LibraryImport(Library)]
    public static partial Result mdb_env_info(nint environment, out Info info);

    [LibraryImport(Library)]
    public static partial Result mdb_env_stat(nint environment, out Statistics statistics);

    [LibraryImport(Library)]
    public static partial Result mdb_txn_begin(nint environment, nint parent, TransactionFlags flags, out nint transaction);

    [LibraryImport(Library)]
    public static partial Result mdb_txn_commit(nint transaction);

    [LibraryImport(Library)]
    public static partial void mdb_txn_abort(nint transaction);

    [LibraryImport(Library)]
    public static partial void mdb_txn_reset(nint transaction);

    [LibraryImport(Library)]
    public static partial Result mdb_txn_renew(nint transaction);

    [LibraryImport(Library)]
    public static partial Result mdb_dbi_open(nint transaction, nint name, uint flags, out uint database);

    [LibraryImport(Library)]
    public static partial Result mdb_get(nint transaction, uint database, in Value key, out Value value);

    [LibraryImport(Library)]
    public static partial Result mdb_put(nint transaction, uint database, in Value key, in Value value, uint flags);

    [LibraryImport(Library)]
    public static partial Result mdb_del(nint transaction, uint database, in Value key, nint value);

    [LibraryImport(Library)]
    public static partial Result mdb_cursor_open(nint transaction, uint database, out nint cursor);

    [LibraryImport(Library)]
    public static partial Result mdb_cursor_renew(nint transaction, nint cursor);

    [LibraryImport(Library)]
    public static partial void mdb_cursor_close(nint cursor);

    [LibraryImport(Library)]
    public static partial Result mdb_cursor_get(nint cursor, ref Value key, ref Value value, CursorOperation operation);
}
