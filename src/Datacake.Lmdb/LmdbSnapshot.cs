using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>A read transaction that it has for itself until it is disposed.</summary>
sealed class LmdbSnapshot(LmdbStorage storage, ReadTransaction transaction) : IStorageSnapshot
{
    // A page ends after this many bytes, so that large values do not make it large.
    const int MaxPageBytes = 4 * 1024 * 1024;

    readonly Lock _reading = new();
    ReadTransaction? _transaction = transaction;   // Under the lock.

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_reading)
        {
            if (!OpenTransaction.TryGet(key.Span, out Value value))
                return new((ReadOnlyMemory<byte>?)null);
            return new(value.Span.ToArray());
        }
    }

    public ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_reading)
        {
            ReadTransaction transaction = OpenTransaction;
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
            return new(page);
        }
    }

    public void Dispose()
    {
        ReadTransaction? transaction;
        lock (_reading)
            (transaction, _transaction) = (_transaction, null);
        if (transaction is not null)
            storage.Return(transaction);
    }

    ReadTransaction OpenTransaction => _transaction ?? throw new ObjectDisposedException(nameof(IStorageSnapshot));

    static StorageEntry Copy(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        // One array for both: half the allocations of a scan.
        byte[] bytes = GC.AllocateUninitializedArray<byte>(key.Length + value.Length);
        key.CopyTo(bytes);
        value.CopyTo(bytes.AsSpan(key.Length));
        return new StorageEntry(bytes.AsMemory(0, key.Length), bytes.AsMemory(key.Length));
    }
}
