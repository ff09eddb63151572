using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.Lmdb.Tests;

public sealed class LmdbStorageTests : DurableStorageSpecification
{
    // Windows does not allow an open file to be replaced.
    protected override bool CanCompact => !OperatingSystem.IsWindows();

    protected override IDurableStorage Open(string path) => new LmdbStorage(path);

    protected override ValueTask RestoreAsync(string backup, string path) => LmdbStorage.RestoreAsync(backup, path);
}

public sealed class LmdbStorageWithoutSyncTests : DurableStorageSpecification
{
    // Windows does not allow an open file to be replaced.
    protected override bool CanCompact => !OperatingSystem.IsWindows();

    protected override IDurableStorage Open(string path) => new LmdbStorage(path, new LmdbStorageOptions { RiskFileOnPowerLoss = true });

    protected override ValueTask RestoreAsync(string backup, string path) => LmdbStorage.RestoreAsync(backup, path);
}

/// <summary>Tests of a store with the smallest map, which grows all the time.</summary>
public sealed class LmdbStorageWithSmallMapTests : DurableStorageSpecification
{
    // Windows does not allow an open file to be replaced.
    protected override bool CanCompact => !OperatingSystem.IsWindows();

    protected override IDurableStorage Open(string path) => new LmdbStorage(path, new LmdbStorageOptions { MapBytes = 1024 * 1024 });

    protected override ValueTask RestoreAsync(string backup, string path) => LmdbStorage.RestoreAsync(backup, path);
}

public sealed class LimitedLmdbStorageTests : LimitedStorageSpecification
{
    protected override bool CanCompact => !OperatingSystem.IsWindows();

    protected override IDurableStorage Open(string path, long maxFileBytes) => new LmdbStorage(path, new LmdbStorageOptions { MaxFileBytes = maxFileBytes });
}

/// <summary>Tests of a store with the smallest map, which grows up to the limit.</summary>
public sealed class LimitedLmdbStorageWithSmallMapTests : LimitedStorageSpecification
{
    protected override bool CanCompact => !OperatingSystem.IsWindows();

    protected override IDurableStorage Open(string path, long maxFileBytes) =>
        new LmdbStorage(path, new LmdbStorageOptions { MapBytes = 1024 * 1024, MaxFileBytes = maxFileBytes });
}
