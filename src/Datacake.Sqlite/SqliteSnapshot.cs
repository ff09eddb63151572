using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>A read transaction on a connection that it has for itself until it is disposed.</summary>
sealed class SqliteSnapshot(SqliteStorage storage, Reader reader) : IStorageSnapshot
{
    readonly Lock _reading = new();
    Reader? _reader = reader;   // Under the lock.

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_reading)
            return new(OpenReader.Get(key.Span));
    }

    public ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_reading)
            return new(OpenReader.Scan(range, direction, maxEntries));
    }

    public ValueTask ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, EntryPage page, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        cancellationToken.ThrowIfCancellationRequested();
        page.Clear();
        lock (_reading)
            OpenReader.Scan(range, direction, maxEntries, page);
        return default;
    }

    public ValueTask GetManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        page.Clear();
        lock (_reading)
            OpenReader.GetMany(keys, page);
        return default;
    }

    public void Dispose()
    {
        Reader? reader;
        lock (_reading)
            (reader, _reader) = (_reader, null);
        if (reader is not null)
            storage.Return(reader);
    }

    Reader OpenReader => _reader ?? throw new ObjectDisposedException(nameof(IStorageSnapshot));
}
