using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Sqlite.Tests;

public sealed class SqliteStorageTests : DurableStorageSpecification
{
    protected override IDurableStorage Open(string path) => new SqliteStorage(path);

    protected override ValueTask RestoreAsync(string backup, string path) => SqliteStorage.RestoreAsync(backup, path);
}

public sealed class LimitedSqliteStorageTests : LimitedStorageSpecification
{
    protected override IDurableStorage Open(string path, long maxFileBytes) => new SqliteStorage(path, new SqliteStorageOptions { MaxFileBytes = maxFileBytes });
}
