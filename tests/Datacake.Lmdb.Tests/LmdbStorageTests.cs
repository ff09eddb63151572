using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Lmdb.Tests;

public sealed class LmdbStorageTests : DurableStorageSpecification
{
    protected override IStorage Open(string path) => new LmdbStorage(path);
}

public sealed class LmdbStorageWithoutSyncTests : DurableStorageSpecification
{
    protected override IStorage Open(string path) => new LmdbStorage(path, new LmdbStorageOptions { RiskFileOnPowerLoss = true });
}
