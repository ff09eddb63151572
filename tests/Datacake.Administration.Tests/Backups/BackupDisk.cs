using Datacake.Storage;

namespace Datacake.Administration.Tests.Backups;

/// <summary>A storage whose backups a test can spoil.</summary>
sealed class BackupDisk(IDurableStorage storage) : IDurableStorage
{
    /// <summary>Gets or sets a callback that receives the path of each backup when it is written.</summary>
    public Func<string, Task> Written { get; set; } = static _ => Task.CompletedTask;

    public string Description => storage.Description;

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) => storage.OpenSnapshotAsync(cancellationToken);

    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default) => storage.CommitAsync(batch, durability, cancellationToken);

    public async ValueTask BackUpAsync(string path, CancellationToken cancellationToken = default)
    {
        await storage.BackUpAsync(path, cancellationToken);
        await Written(path);
    }

    public ValueTask<IStorage> OpenBackupAsync(string path, CancellationToken cancellationToken = default) => storage.OpenBackupAsync(path, cancellationToken);

    public ValueTask CompactAsync(CancellationToken cancellationToken = default) => storage.CompactAsync(cancellationToken);

    public ValueTask CheckAsync(CancellationToken cancellationToken = default) => storage.CheckAsync(cancellationToken);

    public ValueTask<long> GetSizeOnDiskAsync(CancellationToken cancellationToken = default) => storage.GetSizeOnDiskAsync(cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
