using Datacake.Lmdb;
using Datacake.Sqlite;
using Datacake.Storage;
using Datacake.Tool.Terminal;

namespace Datacake.Tool.Stores;

/// <summary>
/// A temporary copy of a store file. Providers open files for writing, and even a SQLite file that is only read gets other bytes when its log is applied, so a copy is
/// opened in place of the file. The file is not changed, and nobody else can open it while it is copied.
/// </summary>
sealed class StoreCopy : IAsyncDisposable
{
    readonly string _folder;

    StoreCopy(string folder, IStorage storage)
    {
        _folder = folder;
        Storage = storage;
    }

    /// <summary>Gets the opened copy.</summary>
    public IStorage Storage { get; }

    /// <exception cref="ToolException">The file is in use, or is not a store.</exception>
    public static StoreCopy Open(string path, string? temporaryFolder)
    {
        path = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
        var kind = StoreFileKinds.Of(path);
        string folder = temporaryFolder is null
            ? Directory.CreateTempSubdirectory("datacake-inspect-").FullName
            : Directory.CreateDirectory(Path.Combine(temporaryFolder, $"datacake-inspect-{Guid.NewGuid():n}")).FullName;
        try
        {
            string copy = Path.Combine(folder, Path.GetFileName(path));
            using (Claim(path))
            {
                File.Copy(path, copy);
                if (kind == StoreFileKind.Sqlite && File.Exists(path + "-wal"))
                    File.Copy(path + "-wal", copy + "-wal");
            }
            return new StoreCopy(folder, kind == StoreFileKind.Sqlite ? new SqliteStorage(copy) : new LmdbStorage(copy));
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Storage.DisposeAsync().ConfigureAwait(false);
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Claims the lock file of a store, as a node does, but without creating it: a backup has none.</summary>
    static FileStream? Claim(string path)
    {
        string file = path + ".lock";
        if (!File.Exists(file))
            return null;
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.None);
        }
        catch (IOException e)
        {
            throw new ToolException(ExitCode.Refused, $"{path} is in use. Stop its node, or look into a backup: 'datacake backup' makes one while the node continues to work.", e);
        }
    }
}
