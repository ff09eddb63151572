using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.PostgreSql.Tests;

public sealed class PostgreSqlCrashTests : CrashSpecification
{
    protected override bool WritesFiles => false;

    protected override IStorage Open(string path) => TestServer.Open(path);
}
