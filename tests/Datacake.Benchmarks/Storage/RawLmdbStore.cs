using System.Reflection;
using System.Runtime.InteropServices;
using Datacake.Storage;
using LightningDB;

namespace Datacake.Benchmarks.Storage;

/// <summary>LMDB through LightningDB, its library for .NET.</summary>
sealed class RawLmdbStore : IKeyValueStore
{
    readonly LightningEnvironment _environment;
    readonly LightningDatabase _database;
    readonly LightningTransaction _reading;

    // The library in the package needs glibc 2.38. If it does not load, the library of the operating system may.
    static RawLmdbStore() => NativeLibrary.SetDllImportResolver(typeof(LightningEnvironment).Assembly, (name, assembly, path) =>
        NativeLibrary.TryLoad(name, assembly, path, out nint library) || NativeLibrary.TryLoad("liblmdb.so.0", assembly, path, out library)
            ? library
            : throw new DllNotFoundException("The native library liblmdb could not be loaded. Install it with the package manager of the system: on Debian and Ubuntu, run 'apt-get install liblmdb0'."));

    public RawLmdbStore(string directory)
    {
        Directory.CreateDirectory(directory);
        _environment = new LightningEnvironment(directory, new EnvironmentConfiguration { MapSize = 16L << 30 });
        _environment.Open(EnvironmentOpenFlags.NoThreadLocalStorage);
        using (var transaction = _environment.BeginTransaction())
        {
            _database = transaction.OpenDatabase();
            Check(transaction.Commit());
        }
        _reading = _environment.BeginTransaction(TransactionBeginFlags.ReadOnly);
        _reading.Reset();
    }

    public void Commit(ReadOnlySpan<(byte[] Key, byte[] Value)> entries, Durability durability)
    {
        var flags = durability == Durability.Buffered ? TransactionBeginFlags.NoMetaSync : TransactionBeginFlags.None;
        using var transaction = _environment.BeginTransaction(flags);
        foreach (var (key, value) in entries)
            Check(transaction.Put(_database, key, value));
        Check(transaction.Commit());
    }

    public int Get(byte[] key)
    {
        _reading.Renew();
        var (result, _, value) = _reading.Get(_database, key);
        int length = result == MDBResultCode.Success ? value.CopyToNewArray().Length : -1;
        _reading.Reset();
        return length;
    }

    public long Scan(byte[] from, int count)
    {
        _reading.Renew();
        long length = 0;
        using (var cursor = _reading.CreateCursor(_database))
        {
            var result = cursor.SetRange(from);
            for (; result == MDBResultCode.Success && count > 0; count--)
            {
                var (_, key, value) = cursor.GetCurrent();
                length += key.CopyToNewArray().Length + value.CopyToNewArray().Length;
                result = cursor.Next().resultCode;
            }
        }
        _reading.Reset();
        return length;
    }

    public ValueTask DisposeAsync()
    {
        _reading.Dispose();
        _database.Dispose();
        _environment.Dispose();
        return ValueTask.CompletedTask;
    }

    static void Check(MDBResultCode result)
    {
        if (result != MDBResultCode.Success)
            throw new IOException($"LMDB failed with {result}.");
    }
}
