using Datacake.Storage;

namespace Datacake.Sqlite;

/// <summary>
/// A view of one moment. While that moment is the newest, keys are looked up through the writer's connection if it is free. Otherwise the
/// snapshot uses its own reader.
/// </summary>
sealed class SqliteSnapshot(SqliteStorage storage) : IStorageSnapshot
{
    readonly Lock _reading = new();
    Reader? _reader;                // Under the lock, as are the fields below.
    Exception? _failure;            // The reason why the snapshot has no reader and never will.
    bool _isDisposed;

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_reading)
        {
            bool isNewest = _reader is null && _failure is null && !_isDisposed;
            return new(isNewest && storage.TryGetNewest(key.Span, out var value) ? value : OwnReader.Get(key.Span));
        }
    }

    public ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_reading)
            return new(OwnReader.Scan(range, direction, maxEntries));
    }

    public ValueTask ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, EntryPage page, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        cancellationToken.ThrowIfCancellationRequested();
        page.Clear();
        lock (_reading)
            OwnReader.Scan(range, direction, maxEntries, page);
        return default;
    }

    public ValueTask GetManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        page.Clear();
        lock (_reading)
            OwnReader.GetMany(keys, page);
        return default;
    }

    public ValueTask<long> CountAsync(KeyRange range, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_reading)
            return new(OwnReader.Count(range));
    }

    public ValueTask<ReadOnlyMemory<byte>?> SkipAsync(KeyRange range, ScanDirection direction, long count, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_reading)
            return new(OwnReader.Skip(range, direction, count));
    }

    /// <summary>Gives the snapshot its own reader, unless it is disposed. Called before the store changes.</summary>
    public void Fix()
    {
        lock (_reading)
        {
            try
            {
                if (!_isDisposed)
                    _ = OwnReader;
            }
            catch (Exception e)
            {
                // The snapshot becomes unreadable, and its reads report that. The commit need not fail for that reason.
                _failure = e;
            }
        }
    }

    public void Dispose()
    {
        Reader? reader;
        lock (_reading)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            (reader, _reader) = (_reader, null);
        }
        storage.Return(this, reader);
    }

    Reader OwnReader
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_failure is not null)
            {
                throw new StorageException(
                    (_failure as StorageException)?.Error ?? StorageError.Failed,
                    $"The snapshot cannot be read, because it could not open its own connection before the next commit: {_failure.Message}",
                    _failure);
            }
            return _reader ??= storage.Rent();
        }
    }
}
