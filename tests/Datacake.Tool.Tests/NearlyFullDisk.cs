using Datacake.Storage;

namespace Datacake.Tool.Tests;

/// <summary>A storage on a disk with little free space.</summary>
sealed class NearlyFullDisk(IDurableStorage storage, long freeBytes) : IDurableStorage
{
    public string Description => storage.Description;

    public ValueTask<long?> GetFreeSpaceAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult<long?>(freeBytes);

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) => storage.OpenSnapshotAsync(cancellationToken);

    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default) => storage.CommitAsync(batch, durability, cancellationToken);

    public ValueTask BackUpAsync(string path, CancellationToken cancellationToken = default) => storage.BackUpAsync(path, cancellationToken);

    public ValueTask<IStorage> OpenBackupAsync(string path, CancellationToken cancellationToken = default) => storage.OpenBackupAsync(path, cancellationToken);

    public ValueTask CompactAsync(CancellationToken cancellationToken = default) => storage.CompactAsync(cancellationToken);

    public ValueTask CheckAsync(CancellationToken cancellationToken = default) => storage.CheckAsync(cancellationToken);

    public ValueTask<long> GetSizeOnDiskAsync(CancellationToken cancellationToken = default) => storage.GetSizeOnDiskAsync(cancellationToken);

    public ValueTask DisposeAsync() => storage.DisposeAsync();
}
