using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>A read transaction that it has for itself until it is disposed.</summary>
sealed class LmdbSnapshot(Readers readers, ReadTransaction transaction) : IStorageSnapshot
{
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
    public PageOfCopies Scan(in KeyRange range, ScanDirection direction, int maxEntries)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        lock (transaction.Using)
        {
            ThrowIfDisposed();
            var page = new PageOfCopies(maxEntries);
            transaction.Scan(range, direction, page);
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
}
