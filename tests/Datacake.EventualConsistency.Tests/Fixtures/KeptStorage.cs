using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Fixtures;

/// <summary>A storage that survives the node that closes it, as a disk does.</summary>
sealed class KeptStorage(IStorage storage) : IStorage
{
    public string Description => storage.Description;

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) => storage.OpenSnapshotAsync(cancellationToken);

    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default) =>
        storage.CommitAsync(batch, durability, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
