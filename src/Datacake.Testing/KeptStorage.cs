using Datacake.Storage;

namespace Datacake.Testing;

/// <summary>A storage in memory that survives the node that closes it, as a disk does.</summary>
sealed class KeptStorage : IStorage
{
    readonly MemoryStorage _storage = new();

    public string Description => _storage.Description;

    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) => _storage.OpenSnapshotAsync(cancellationToken);

    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default) =>
        _storage.CommitAsync(batch, durability, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
