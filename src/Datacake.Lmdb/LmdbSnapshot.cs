using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>A read transaction that it has for itself until it is disposed.</summary>
sealed class LmdbSnapshot(Readers readers, ReadTransaction transaction) : IStorageSnapshot
{
    // A page ends after this many bytes, so that large values do not make it large.
    const int MaxPageBytes = 4 * 1024 * 1024;

    bool _disposed;   // Under the lock of the transaction, which may have its next user then.

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

    /// <summary>One page of the entries in a range.</summary>
    public List<StorageEntry> Scan(in KeyRange range, ScanDirection direction, int maxEntries)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        lock (transaction.Using)
        {
            ThrowIfDisposed();
            var page = new List<StorageEntry>();
            int bytes = 0;
            bool found = transaction.TryMoveInto(range, direction, out Value key, out Value value);
            while (found && StoredKey.TryGetEntryKey(key.Span, out ReadOnlySpan<byte> entryKey) && range.Contains(entryKey))
            {
                page.Add(Copy(entryKey, value.Span));
                bytes += entryKey.Length + value.Span.Length;
                if (page.Count == maxEntries || bytes >= MaxPageBytes)
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

    void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(_disposed, typeof(IStorageSnapshot));

    static StorageEntry Copy(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        // One array for both: half the allocations of a scan.
        byte[] bytes = GC.AllocateUninitializedArray<byte>(key.Length + value.Length);
        key.CopyTo(bytes);
        value.CopyTo(bytes.AsSpan(key.Length));
        return new StorageEntry(bytes.AsMemory(0, key.Length), bytes.AsMemory(key.Length));
    }
}
