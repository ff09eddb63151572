using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Sqlite.Tests;

public sealed class SqliteStorageTests : DurableStorageSpecification
{
    protected override IStorage Open(string path) => new SqliteStorage(path);
}
