using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Sqlite.Tests;

public sealed class SqliteCrashTests : CrashSpecification
{
    protected override IStorage Open(string path) => OpenWithSmallLog(path);

    /// <summary>Opens a store whose log is often moved into the file, so that crashes also hit that work.</summary>
    public static IStorage OpenWithSmallLog(string path) =>
        new SqliteStorage(path, new SqliteStorageOptions { CheckpointBytes = 512 * 1024 });

    // Excludes the index of the log, which SQLite rebuilds from the log.
    protected override bool IsData(string path) => !path.EndsWith("-shm", StringComparison.Ordinal);

    // A batch is in the log, which is reused only when its moved contents are on the disk.
    protected override bool IsWrittenLater(string path) => !path.EndsWith("-wal", StringComparison.Ordinal);
}
