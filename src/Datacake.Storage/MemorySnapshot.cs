namespace Datacake.Storage;

/// <summary>One version of a tree, which stays as it is until the snapshot is disposed and the last read of it has ended.</summary>
sealed class MemorySnapshot(MemoryStorage storage, MemoryTree tree, long version) : IStorageSnapshot
{
    // A longer page would only cost memory: the descent from the root is already spread over so many entries that it does not show.
    const int MaxPageEntries = 4096;

    int _users = 1;             // Interlocked: the reads under way, and one for whoever has yet to dispose the snapshot.
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

    /// <summary>From here to <see cref="Exit"/> the tree stays as it is.</summary>
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
