using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>A snapshot that owns a read transaction until it is disposed.</summary>
sealed class LmdbSnapshot(Readers readers, ReadTransaction transaction) : IStorageSnapshot
{
    bool _disposed;   // Under the lock of the transaction, because another snapshot may use the transaction once this one is disposed.

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (transaction.Using)
        {
            ThrowIfDisposed();
            if (!transaction.TryGet(key.Span, out Value value))
                return new((ReadOnlyMemory<byte>?)null);
            return new(value.Span.ToArray());
        }
    }

    public ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return new(Scan(range, direction, maxEntries));
    }

    public ValueTask ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, EntryPage page, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        cancellationToken.ThrowIfCancellationRequested();
        page.Clear();
        lock (transaction.Using)
        {
            ThrowIfDisposed();
            bool found = transaction.TryMoveInto(range, direction, out Value key, out Value value);
            while (found && StoredKey.TryGetEntryKey(key.Span, out ReadOnlySpan<byte> entryKey) && !IsBeyond(range, direction, entryKey))
            {
                page.Add(entryKey, value.Span);
                if (page.Count == maxEntries || page.Length >= PageOfCopies.MaxPageBytes)
                    break;
                found = transaction.TryMoveOn(direction, out key, out value);
            }
        }
        return default;
    }

    public ValueTask GetManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        page.Clear();
        lock (transaction.Using)
        {
            ThrowIfDisposed();
            for (int i = 0; i < keys.Count; i++)
            {
                ReadOnlySpan<byte> key = keys[i].Span;
                if (transaction.TryMoveTo(key, out Value value))
                    page.Add(key, value.Span);
            }
        }
        return default;
    }

    public ValueTask<long> CountAsync(KeyRange range, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (transaction.Using)
        {
            ThrowIfDisposed();
            Move(range, ScanDirection.Forward, long.MaxValue, out long count, cancellationToken);
            return new(count);
        }
    }

    public ValueTask<ReadOnlyMemory<byte>?> SkipAsync(KeyRange range, ScanDirection direction, long count, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        cancellationToken.ThrowIfCancellationRequested();
        lock (transaction.Using)
        {
            ThrowIfDisposed();
            return Move(range, direction, count, out _, cancellationToken) is var key && StoredKey.TryGetEntryKey(key.Span, out ReadOnlySpan<byte> entryKey)
                ? new(entryKey.ToArray())
                : new((ReadOnlyMemory<byte>?)null);
        }
    }

    /// <summary>Returns one page of the entries in a range.</summary>
    public PageOfCopies Scan(in KeyRange range, ScanDirection direction, int maxEntries)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        lock (transaction.Using)
        {
            ThrowIfDisposed();
            var page = new PageOfCopies(maxEntries);
            bool found = transaction.TryMoveInto(range, direction, out Value key, out Value value);
            while (found && StoredKey.TryGetEntryKey(key.Span, out ReadOnlySpan<byte> entryKey) && !IsBeyond(range, direction, entryKey))
            {
                page.Add(entryKey, value.Span);
                if (page.IsFull)
                    break;
                found = transaction.TryMoveOn(direction, out key, out value);
            }
            return page;
        }
    }

    public void Dispose()
    {
        lock (transaction.Using)
        {
            if (_disposed)
                return;
            _disposed = true;
        }
        readers.Return(transaction);
    }

    /// <summary>Moves over a number of entries of a range. Returns the stored key of the next one; empty if the range has no more.</summary>
    Value Move(in KeyRange range, ScanDirection direction, long number, out long moved, CancellationToken cancellationToken)
    {
        const int entriesPerCheck = 65_536;
        moved = 0;
        bool found = transaction.TryMoveInto(range, direction, out Value key, out _);
        while (found && StoredKey.TryGetEntryKey(key.Span, out ReadOnlySpan<byte> entryKey) && !IsBeyond(range, direction, entryKey))
        {
            if (moved == number)
                return key;
            if (++moved % entriesPerCheck == 0)
                cancellationToken.ThrowIfCancellationRequested();
            found = transaction.TryMoveOn(direction, out key, out _);
        }
        return default;
    }

    void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, typeof(IStorageSnapshot));

    /// <summary>Returns whether a scan has left the range. It began inside the range, so only the bound ahead of it matters.</summary>
    static bool IsBeyond(in KeyRange range, ScanDirection direction, ReadOnlySpan<byte> key) => direction == ScanDirection.Forward
        ? range.End is { } end && key.SequenceCompareTo(end.Span) >= 0
        : key.SequenceCompareTo(range.Start.Span) < 0;
}
