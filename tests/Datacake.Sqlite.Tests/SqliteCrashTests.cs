using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Sqlite.Tests;

public sealed class SqliteCrashTests : CrashSpecification
{
    protected override IStorage Open(string path) => new SqliteStorage(path);
}
