using System.Collections.Immutable;

namespace Datacake.Storage;

/// <summary>A store in memory. A snapshot is the immutable tree of the moment; nothing survives the process.</summary>
public sealed class MemoryStorage : IStorage
{
    /// <inheritdoc/>
    public string Description => "memory store";

    /// <inheritdoc/>
    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default) => throw new NotImplementedException();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
