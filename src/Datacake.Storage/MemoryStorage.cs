namespace Datacake.Storage;

/// <summary>
/// A store in memory. A snapshot is the immutable tree of the moment: opening one costs nothing, readers take no lock, and nothing
/// survives the process, whatever the <see cref="Durability"/>.
/// </summary>
/// <remarks>
/// A commit copies keys and values, so that the caller may reuse its memory afterwards. What a snapshot returns is the
/// store's own memory, not a copy. An entry costs 50 to 60 bytes beside its key and value.
/// </remarks>
public sealed class MemoryStorage : IStorage
{
    // A longer page would only cost memory: the descent from the root is already spread over so many entries that it does not show.
    const int MaxPageEntries = 4096;

    readonly Lock _writing = new();
    volatile MemoryTree? _tree = MemoryTree.Empty;   // Replaced under the lock, read without it; null once disposed.
    long _batches;

    /// <inheritdoc/>
    public string Description => "memory store";

    /// <inheritdoc/>
    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(new Snapshot(Tree));
    }

    /// <inheritdoc/>
    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_writing)
        {
            // The number is used up even if the batch fails half-way: nodes that it made must not pass for those of a later one.
            var editor = new MemoryTree.Editor(Tree, ++_batches);
            foreach (ref readonly WriteOperation operation in batch.Operations)
            {
                if (operation.Value is { } value)
                    editor.Put(operation.Key.Span, value.Span);
                else
                    editor.Delete(operation.Key.Span);
            }
            _tree = editor.Root;
        }
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        lock (_writing)
            _tree = null;
        return ValueTask.CompletedTask;
    }

    MemoryTree Tree => _tree ?? throw new ObjectDisposedException(nameof(MemoryStorage));

    sealed class Snapshot(MemoryTree tree) : IStorageSnapshot
    {
        volatile MemoryTree? _tree = tree;

        public ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new(Tree.Get(key.Span));
        }

        public ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
            KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
            cancellationToken.ThrowIfCancellationRequested();
            MemoryTree tree = Tree;
            var page = new List<StorageEntry>();
            if (!range.IsEmpty)
                tree.Scan(range, direction, Math.Min(maxEntries, MaxPageEntries), page);
            return new(page);
        }

        public void Dispose() => _tree = null;

        MemoryTree Tree => _tree ?? throw new ObjectDisposedException(nameof(IStorageSnapshot));
    }
}
