using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Lmdb.Tests;

public sealed class LmdbCrashTests : CrashSpecification
{
    protected override IStorage Open(string path) => new LmdbStorage(path);
}
