namespace Datacake.Storage;

/// <summary>
/// A snapshot of one version of a tree. The version does not change until the snapshot is disposed and its last read has ended.
/// </summary>
sealed class MemorySnapshot(MemoryStorage storage, MemoryTree tree, long version) : IStorageSnapshot
{
    // A longer page would only use more memory: with this many entries, the cost of descending from the root is negligible.
    const int MaxPageEntries = 4096;

    int _users = 1;             // Interlocked: the number of active reads, plus one until the snapshot is disposed.
    volatile bool _disposed;

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Enter();
        try
        {
            return new(tree.Get(key.Span));
        }
        finally
        {
            Exit();
        }
    }

    public ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        cancellationToken.ThrowIfCancellationRequested();
        Enter();
        try
        {
            var page = new MemoryPage(Math.Min(maxEntries, MaxPageEntries));
            if (!range.IsEmpty)
                tree.Scan(range, direction, page);
            return new(page);
        }
        finally
        {
            Exit();
        }
    }

    public void Dispose()
    {
        if (!Interlocked.Exchange(ref _disposed, true))
            Exit();
    }

    /// <summary>Begins a read. The tree does not change until <see cref="Exit"/>.</summary>
    void Enter()
    {
        int users = _users;
        while (!_disposed && users > 0)
        {
            int found = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (found == users)
                return;
            users = found;
        }
        throw new ObjectDisposedException(nameof(IStorageSnapshot));
    }

    void Exit()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            storage.Release(version);
    }
}
