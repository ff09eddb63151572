using Datacake.Storage;

namespace Datacake.PostgreSql;

/// <summary>
/// A view of one moment. It gets its reader with its first read, or before the next commit. A snapshot that is not read costs nothing.
/// </summary>
sealed class PostgreSqlSnapshot(Readers readers) : IStorageSnapshot
{
    readonly SemaphoreSlim _reading = new(1);
    Reader? _reader;                // Under _reading.
    Exception? _failure;            // The reason why the snapshot has no reader and never will. Under _reading.
    int _users = 1;                 // Interlocked: the number of active reads, plus one until the snapshot is disposed.
    volatile bool _isDisposed;

    public ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default) =>
        ReadAsync(reader => reader.GetAsync(key), cancellationToken);

    public async ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        return await ReadAsync(reader => reader.ScanAsync(range, direction, maxEntries), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, EntryPage page, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxEntries);
        await ReadAsync(
            async reader =>
            {
                page.Clear();
                await reader.ScanAsync(range, direction, maxEntries, page).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask GetManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page, CancellationToken cancellationToken = default)
    {
        await ReadAsync(
            async reader =>
            {
                page.Clear();
                await reader.GetManyAsync(keys, page).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives the snapshot its reader, unless it is disposed. Called before the store changes.</summary>
    public async ValueTask FixAsync()
    {
        if (!TryEnter())
            return;
        try
        {
            await _reading.WaitAsync().ConfigureAwait(false);
            try
            {
                if (_failure is null)
                    await UseReaderAsync(FixAsync).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                // The snapshot becomes unreadable, and its reads report that. The commit need not fail for that reason.
                _failure = e;
            }
            finally
            {
                _reading.Release();
            }
        }
        finally
        {
            Exit();
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, true))
            return;
        readers.Forget(this);
        Exit();
    }

    async ValueTask<T> ReadAsync<T>(Func<Reader, ValueTask<T>> read, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(!TryEnter(), this);
        try
        {
            // A canceled query would end the transaction and thus the snapshot, so only the wait for other reads can be canceled.
            await _reading.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                if (_failure is not null)
                    throw Unreadable(_failure);
                return await UseReaderAsync(read).ConfigureAwait(false);
            }
            finally
            {
                _reading.Release();
            }
        }
        finally
        {
            Exit();
        }
    }

    static async ValueTask<bool> FixAsync(Reader reader)
    {
        await reader.FixAsync().ConfigureAwait(false);
        return true;
    }

    /// <summary>Uses the reader, or another one if its connection has broken and the store has not changed since.</summary>
    async ValueTask<T> UseReaderAsync<T>(Func<Reader, ValueTask<T>> use)
    {
        for (bool isFirst = true; ; isFirst = false)
        {
            Reader reader = _reader ??= await readers.RentAsync().ConfigureAwait(false);
            try
            {
                return await use(reader).ConfigureAwait(false);
            }
            // Several idle connections may have broken, but each of them is tried only once.
            catch (StorageException e) when (reader.IsBroken && Database.IsTransient(e.InnerException) && (isFirst || reader.IsReused))
            {
                _reader = null;
                _failure = e;
                _reader = await readers.ReplaceAsync(reader).ConfigureAwait(false);
                if (_reader is null)
                    throw;
                _failure = null;
            }
        }
    }

    bool TryEnter()
    {
        int users = _users;
        while (!_isDisposed && users > 0)
        {
            int found = Interlocked.CompareExchange(ref _users, users + 1, users);
            if (found == users)
                return true;
            users = found;
        }
        return false;
    }

    void Exit()
    {
        if (Interlocked.Decrement(ref _users) > 0)
            return;
        readers.Return(_reader);
        _reading.Dispose();
    }

    static StorageException Unreadable(Exception failure) => new(
        (failure as StorageException)?.Error ?? StorageError.Failed,
        $"The snapshot is lost, because its connection has broken, or it could not get one before the next commit: {failure.Message}",
        failure);
}
