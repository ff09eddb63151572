using Datacake.Lmdb;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Benchmarks.Measuring;

/// <summary>Opens fresh stores of one kind; the files are in a directory of their own, which is removed in the end.</summary>
sealed class StoreKind(string name) : IDisposable
{
    public const string Memory = "memory", Sqlite = "sqlite", Lmdb = "lmdb";

    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("datacake-benchmark-");
    int _opened;

    /// <summary>Opens so many stores.</summary>
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
