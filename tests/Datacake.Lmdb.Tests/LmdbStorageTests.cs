using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Lmdb.Tests;

public sealed class LmdbStorageTests : DurableStorageSpecification
{
    protected override IDurableStorage Open(string path) => new LmdbStorage(path);

    protected override ValueTask RestoreAsync(string backup, string path) => LmdbStorage.RestoreAsync(backup, path);
}

public sealed class LmdbStorageWithoutSyncTests : DurableStorageSpecification
{
    protected override IDurableStorage Open(string path) => new LmdbStorage(path, new LmdbStorageOptions { RiskFileOnPowerLoss = true });

    protected override ValueTask RestoreAsync(string backup, string path) => LmdbStorage.RestoreAsync(backup, path);
}

/// <summary>With the smallest map, which grows all the time.</summary>
public sealed class LmdbStorageWithSmallMapTests : DurableStorageSpecification
{
    protected override IDurableStorage Open(string path) => new LmdbStorage(path, new LmdbStorageOptions { MapBytes = 1024 * 1024 });

    protected override ValueTask RestoreAsync(string backup, string path) => LmdbStorage.RestoreAsync(backup, path);
}
