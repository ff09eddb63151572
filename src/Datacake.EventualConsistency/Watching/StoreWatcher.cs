using Datacake.EventualConsistency.Commits;

namespace Datacake.EventualConsistency.Watching;

/// <summary>
/// The bounded buffer between the commit loop, which fills it, and one reader. If the reader is too slow, the buffer is emptied and the reader is told
/// that it is behind: it then takes what it missed from the store. Thread-safe.
/// </summary>
sealed class StoreWatcher(string keyspace, long maxBufferedBytes)
{
    const int OverheadPerChange = 128;

    readonly Lock _lock = new();
    readonly Queue<DocumentChanges> _queue = [];            // all below under the lock
    long _bufferedBytes;
    bool _isBehind;
    bool _isClosed;
    TaskCompletionSource? _waiting;

    public string Keyspace { get; } = keyspace;

    /// <summary>Hands over changes. Called on the commit loop; never waits.</summary>
    public void Post(DocumentChanges changes)
    {
        lock (_lock)
        {
            if (_isBehind)
                return;
            long bytes = changes.Changes.Sum(LengthOf);
            // One batch is taken whatever its size: the commit that it comes from was in memory, too.
            if (_queue.Count > 0 && _bufferedBytes + bytes > maxBufferedBytes)
                FallBehind();
            else
            {
                _queue.Enqueue(changes);
                _bufferedBytes += bytes;
            }
            Wake();
        }
    }

    /// <summary>What comes now cannot be told one by one.</summary>
    public void PostGap()
    {
        lock (_lock)
        {
            FallBehind();
            Wake();
        }
    }

    /// <summary>The store closes.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            Wake();
        }
    }

    /// <summary>The reader is about to take what it missed from the store: from here on changes are collected again.</summary>
    public void StartOver()
    {
        lock (_lock)
        {
            _queue.Clear();
            _bufferedBytes = 0;
            _isBehind = false;
        }
    }

    /// <summary>The next changes, or null if the reader is behind.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public async ValueTask<DocumentChanges?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task waiting;
            lock (_lock)
            {
                if (_isBehind)
                    return null;
                if (_queue.TryDequeue(out var next))
                {
                    _bufferedBytes -= next.Changes.Sum(LengthOf);
                    return next;
                }
                if (_isClosed)
                    throw CommitLoop.Closed();
                _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting = _waiting.Task;
            }
            await waiting.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    void FallBehind()
    {
        _queue.Clear();
        _bufferedBytes = 0;
        _isBehind = true;
    }

    void Wake()
    {
        _waiting?.TrySetResult();
        _waiting = null;
    }

    static long LengthOf(DocumentChange change) =>
        OverheadPerChange + (change.Before?.Encoded.Length ?? 0) + (change.After?.Encoded.Length ?? 0);
}
