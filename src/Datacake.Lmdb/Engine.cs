using System.Runtime.InteropServices;
using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>A liblmdb library loaded into this process. Its functions have their names from C.</summary>
/// <remarks>
/// This class uses function pointers instead of imports by name, because a process can need two libraries. LMDB 0.9 and 1.x cannot read
/// each other's files. The package contains 1.x, which needs glibc 2.38. On older systems, files are written by the system's library, which
/// is 0.9. These files must stay readable after an upgrade of the system.
/// </remarks>
sealed unsafe class Engine
{
    // The bundled library, then that of the system: on Debian, Ubuntu and Alpine, and on Fedora and RHEL.
    static readonly string[] Libraries = ["lmdb", "liblmdb.so.0", "liblmdb.so.0.0.0"];

    readonly delegate* unmanaged[Cdecl]<int*, int*, int*, byte*> _version;
    readonly delegate* unmanaged[Cdecl]<Result, byte*> _strerror;
    readonly delegate* unmanaged[Cdecl]<nint*, Result> _envCreate;
    readonly delegate* unmanaged[Cdecl]<nint, nuint, Result> _envSetMapSize;
    readonly delegate* unmanaged[Cdecl]<nint, uint, Result> _envSetMaxReaders;
    readonly delegate* unmanaged[Cdecl]<nint, byte*, EnvironmentFlags, uint, Result> _envOpen;
    readonly delegate* unmanaged[Cdecl]<nint, void> _envClose;
    readonly delegate* unmanaged[Cdecl]<nint, EnvironmentFlags, int, Result> _envSetFlags;
    readonly delegate* unmanaged[Cdecl]<nint, int, Result> _envSync;
    readonly delegate* unmanaged[Cdecl]<nint, EnvironmentInfo*, Result> _envInfo;
    readonly delegate* unmanaged[Cdecl]<nint, EnvironmentStatistics*, Result> _envStat;
    readonly delegate* unmanaged[Cdecl]<nint, nint, TransactionFlags, nint*, Result> _txnBegin;
    readonly delegate* unmanaged[Cdecl]<nint, Result> _txnCommit;
    readonly delegate* unmanaged[Cdecl]<nint, void> _txnAbort;
    readonly delegate* unmanaged[Cdecl]<nint, void> _txnReset;
    readonly delegate* unmanaged[Cdecl]<nint, Result> _txnRenew;
    readonly delegate* unmanaged[Cdecl]<nint, byte*, uint, uint*, Result> _dbiOpen;
    readonly delegate* unmanaged[Cdecl]<nint, uint, Value*, Value*, Result> _get;
    readonly delegate* unmanaged[Cdecl]<nint, uint, Value*, Value*, WriteFlags, Result> _put;
    readonly delegate* unmanaged[Cdecl]<nint, uint, Value*, Value*, Result> _del;
    readonly delegate* unmanaged[Cdecl]<nint, uint, nint*, Result> _cursorOpen;
    readonly delegate* unmanaged[Cdecl]<nint, nint, Result> _cursorRenew;
    readonly delegate* unmanaged[Cdecl]<nint, void> _cursorClose;
    readonly delegate* unmanaged[Cdecl]<nint, Value*, Value*, CursorOperation, Result> _cursorGet;

    Engine(nint library)
    {
        nint Export(string name) => NativeLibrary.GetExport(library, name);

        _version = (delegate* unmanaged[Cdecl]<int*, int*, int*, byte*>)Export("mdb_version");
        _strerror = (delegate* unmanaged[Cdecl]<Result, byte*>)Export("mdb_strerror");
        _envCreate = (delegate* unmanaged[Cdecl]<nint*, Result>)Export("mdb_env_create");
        _envSetMapSize = (delegate* unmanaged[Cdecl]<nint, nuint, Result>)Export("mdb_env_set_mapsize");
        _envSetMaxReaders = (delegate* unmanaged[Cdecl]<nint, uint, Result>)Export("mdb_env_set_maxreaders");
        _envOpen = (delegate* unmanaged[Cdecl]<nint, byte*, EnvironmentFlags, uint, Result>)Export("mdb_env_open");
        _envClose = (delegate* unmanaged[Cdecl]<nint, void>)Export("mdb_env_close");
        _envSetFlags = (delegate* unmanaged[Cdecl]<nint, EnvironmentFlags, int, Result>)Export("mdb_env_set_flags");
        _envSync = (delegate* unmanaged[Cdecl]<nint, int, Result>)Export("mdb_env_sync");
        _envInfo = (delegate* unmanaged[Cdecl]<nint, EnvironmentInfo*, Result>)Export("mdb_env_info");
        _envStat = (delegate* unmanaged[Cdecl]<nint, EnvironmentStatistics*, Result>)Export("mdb_env_stat");
        _txnBegin = (delegate* unmanaged[Cdecl]<nint, nint, TransactionFlags, nint*, Result>)Export("mdb_txn_begin");
        _txnCommit = (delegate* unmanaged[Cdecl]<nint, Result>)Export("mdb_txn_commit");
        _txnAbort = (delegate* unmanaged[Cdecl]<nint, void>)Export("mdb_txn_abort");
        _txnReset = (delegate* unmanaged[Cdecl]<nint, void>)Export("mdb_txn_reset");
        _txnRenew = (delegate* unmanaged[Cdecl]<nint, Result>)Export("mdb_txn_renew");
        _dbiOpen = (delegate* unmanaged[Cdecl]<nint, byte*, uint, uint*, Result>)Export("mdb_dbi_open");
        _get = (delegate* unmanaged[Cdecl]<nint, uint, Value*, Value*, Result>)Export("mdb_get");
        _put = (delegate* unmanaged[Cdecl]<nint, uint, Value*, Value*, WriteFlags, Result>)Export("mdb_put");
        _del = (delegate* unmanaged[Cdecl]<nint, uint, Value*, Value*, Result>)Export("mdb_del");
        _cursorOpen = (delegate* unmanaged[Cdecl]<nint, uint, nint*, Result>)Export("mdb_cursor_open");
        _cursorRenew = (delegate* unmanaged[Cdecl]<nint, nint, Result>)Export("mdb_cursor_renew");
        _cursorClose = (delegate* unmanaged[Cdecl]<nint, void>)Export("mdb_cursor_close");
        _cursorGet = (delegate* unmanaged[Cdecl]<nint, Value*, Value*, CursorOperation, Result>)Export("mdb_cursor_get");

        int major, minor, patch;
        _version(&major, &minor, &patch);
        Version = new Version(major, minor, patch);
    }

    public Version Version { get; }

    /// <summary>Loads the library that can read the file at a path. If there is no file yet, loads the first available library.</summary>
    public static Engine Load(string path, string description)
    {
        FileGeneration generation = FileGenerationOf(path, description);
        var others = new List<Version>();
        foreach (string name in Libraries)
        {
            // Loading a library again returns the same handle. Libraries stay loaded for the lifetime of the process.
            if (!NativeLibrary.TryLoad(name, typeof(Engine).Assembly, searchPath: null, out nint library))
                continue;
            var engine = new Engine(library);
            FileGeneration readable = engine.Version.Major == 0 ? FileGeneration.Lmdb09 : FileGeneration.Lmdb1;
            if (generation == FileGeneration.Unknown || generation == readable)
                return engine;
            others.Add(engine.Version);
        }
        string reason = (generation, others.Count) switch
        {
            (_, 0) => "the native library liblmdb cannot be loaded",
            (FileGeneration.Lmdb09, _) => $"it was written by LMDB 0.9, and LMDB {others[0]} cannot read it",
            _ => $"it was written by LMDB 1.x, and LMDB {others[0]} cannot read it",
        };
        throw new StorageException(
            StorageError.EngineMissing,
            $"The {description} cannot be opened, because {reason}. Install the missing library, or start with an empty store, which the other "
                + "nodes refill (set TakeOverNodeId). LMDB 1.x is part of the package LightningDB and needs glibc 2.38 or later on Linux. LMDB "
                + "0.9 is a package of the system: 'apt-get install liblmdb0' on Debian and Ubuntu, 'dnf install lmdb-libs' on Fedora and RHEL.");
    }

    public string Describe(Result result) => $"{Marshal.PtrToStringUTF8((nint)_strerror(result))} (LMDB {Version} error {(int)result})";

    public Result EnvCreate(out nint environment)
    {
        fixed (nint* pointer = &environment)
            return _envCreate(pointer);
    }

    public Result EnvSetMapSize(nint environment, long bytes) => _envSetMapSize(environment, (nuint)bytes);

    public Result EnvSetMaxReaders(nint environment, int readers) => _envSetMaxReaders(environment, (uint)readers);

    public Result EnvOpen(nint environment, string path, EnvironmentFlags flags, uint mode)
    {
        byte* pointer = (byte*)Marshal.StringToCoTaskMemUTF8(path);
        try
        {
            return _envOpen(environment, pointer, flags, mode);
        }
        finally
        {
            Marshal.FreeCoTaskMem((nint)pointer);
        }
    }

    public void EnvClose(nint environment) => _envClose(environment);

    public Result EnvSetFlags(nint environment, EnvironmentFlags flags, bool on) => _envSetFlags(environment, flags, on ? 1 : 0);

    public Result EnvSync(nint environment) => _envSync(environment, 1);

    public Result EnvInfo(nint environment, out EnvironmentInfo info)
    {
        fixed (EnvironmentInfo* pointer = &info)
            return _envInfo(environment, pointer);
    }

    public Result EnvStat(nint environment, out EnvironmentStatistics statistics)
    {
        fixed (EnvironmentStatistics* pointer = &statistics)
            return _envStat(environment, pointer);
    }

    public Result TxnBegin(nint environment, TransactionFlags flags, out nint transaction)
    {
        fixed (nint* pointer = &transaction)
            return _txnBegin(environment, 0, flags, pointer);
    }

    public Result TxnCommit(nint transaction) => _txnCommit(transaction);

    public void TxnAbort(nint transaction) => _txnAbort(transaction);

    public void TxnReset(nint transaction) => _txnReset(transaction);

    public Result TxnRenew(nint transaction) => _txnRenew(transaction);

    public Result DbiOpen(nint transaction, out uint database)
    {
        fixed (uint* pointer = &database)
            return _dbiOpen(transaction, null, 0, pointer);
    }

    public Result Get(nint transaction, uint database, Value key, out Value value)
    {
        fixed (Value* pointer = &value)
            return _get(transaction, database, &key, pointer);
    }

    public Result Put(nint transaction, uint database, Value key, Value value, WriteFlags flags) =>
        _put(transaction, database, &key, &value, flags);

    public Result Del(nint transaction, uint database, Value key) => _del(transaction, database, &key, null);

    public Result CursorOpen(nint transaction, uint database, out nint cursor)
    {
        fixed (nint* pointer = &cursor)
            return _cursorOpen(transaction, database, pointer);
    }

    public Result CursorRenew(nint transaction, nint cursor) => _cursorRenew(transaction, cursor);

    public void CursorClose(nint cursor) => _cursorClose(cursor);

    public Result CursorGet(nint cursor, ref Value key, ref Value value, CursorOperation operation)
    {
        fixed (Value* keyPointer = &key)
        fixed (Value* valuePointer = &value)
            return _cursorGet(cursor, keyPointer, valuePointer, operation);
    }

    /// <summary>
    /// Returns the version of LMDB that wrote a file. It follows from the position of the magic number after the header of the first page,
    /// because the header is longer in 1.x.
    /// </summary>
    static FileGeneration FileGenerationOf(string path, string description)
    {
        Span<byte> start = stackalloc byte[FileLayout.RootBytes];
        start.Clear();
        try
        {
            if (File.Exists(path))
            {
                using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw StorageException.FromFileSystem(description, exception);
        }
        FileLayout? layout = FileLayout.Detect(start);
        return layout == FileLayout.Of09 ? FileGeneration.Lmdb09 : layout == FileLayout.Of1 ? FileGeneration.Lmdb1 : FileGeneration.Unknown;
    }

    enum FileGeneration
    {
        Unknown,
        Lmdb09,
        Lmdb1,
    }
}
