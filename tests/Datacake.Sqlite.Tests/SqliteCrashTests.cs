using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Sqlite.Tests;

public sealed class SqliteCrashTests : CrashSpecification
{
    protected override IStorage Open(string path) => new SqliteStorage(path);

    // The index of the log, which SQLite makes anew from the log.
    protected override bool IsData(string path) => !path.EndsWith("-shm", StringComparison.Ordinal);
}
