using Datacake.Lmdb;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Benchmarks.Measuring;

/// <summary>A factory of empty stores of one kind. The files are in a separate directory, which is deleted on disposal.</summary>
sealed class StoreKind(string name) : IDisposable
{
    public const string Memory = "memory", Sqlite = "sqlite", Lmdb = "lmdb";

    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("datacake-benchmark-");
    int _opened;

    /// <summary>Opens the given number of stores.</summary>
    public IReadOnlyList<IStorage> Open(int count) => [.. Enumerable.Range(0, count).Select(_ => Open())];

    /// <summary>Opens a store.</summary>
    public IStorage Open()
    {
        string path = Path.Combine(_directory.FullName, $"store-{++_opened}");
        return name switch
        {
            Sqlite => new SqliteStorage(path),
            Lmdb => new LmdbStorage(path),
            _ => new MemoryStorage(),
        };
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
