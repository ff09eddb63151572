using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Sqlite.Tests;

public sealed class SqliteCrashTests : CrashSpecification
{
    protected override IStorage Open(string path) => OpenWithSmallLog(path);

    /// <summary>A log that is moved into the file often, so that crashes meet that too.</summary>
    public static IStorage OpenWithSmallLog(string path) =>
        new SqliteStorage(path, new SqliteStorageOptions { CheckpointBytes = 512 * 1024 });

    // The index of the log, which SQLite makes anew from the log.
    protected override bool IsData(string path) => !path.EndsWith("-shm", StringComparison.Ordinal);

    // A batch is in the log, which starts again only when what was moved to the file is on the disk.
    protected override bool IsWrittenLater(string path) => !path.EndsWith("-wal", StringComparison.Ordinal);
}
