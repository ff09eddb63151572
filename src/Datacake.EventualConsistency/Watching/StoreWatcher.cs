using Datacake.EventualConsistency.Commits;

namespace Datacake.EventualConsistency.Watching;

/// <summary>
/// The bounded buffer between the commit loop, which fills it, and one reader. If the reader is too slow, the buffer is emptied and the
/// reader is told that it is behind. It then reads what it missed from the store. Thread-safe.
/// </summary>
/// <param name="keyspace">The name of the keyspace.</param>
/// <param name="maxBufferedBytes">The maximum size of the changes that wait.</param>
/// <param name="progressInterval">
/// The time without changes after which the reader is told the position that the store has reached; infinite if it is told only with changes.
/// </param>
/// <param name="time">The clock for that time.</param>
sealed class StoreWatcher(string keyspace, long maxBufferedBytes, TimeSpan progressInterval, TimeProvider time)
{
    const int OverheadPerChange = 128;

    readonly Lock _lock = new();
    readonly Queue<DocumentChanges> _queue = [];            // all below under the lock
    long _bufferedBytes;
    WatchPosition? _reached;                                // the position after the last commit
    bool _isBehind;
    bool _hasLostExpiry;
    bool _isClosed;
    TaskCompletionSource? _waiting;

    public string Keyspace { get; } = keyspace;

    /// <summary>True if the reader keeps its position, for which the log is held.</summary>
    public bool IsDurable => progressInterval != Timeout.InfiniteTimeSpan;

    /// <summary>Adds changes to the buffer. Called on the commit loop; never waits.</summary>
    public void Post(DocumentChanges changes)
    {
        lock (_lock)
        {
            _hasLostExpiry |= _isBehind && changes.IsExpiry;
            if (_isBehind)
                return;
            long bytes = changes.Changes.Sum(LengthOf);
            // A single batch is taken whatever its size, because the commit that it comes from was in memory, too.
            if (_queue.Count > 0 && _bufferedBytes + bytes > maxBufferedBytes)
            {
                _hasLostExpiry |= changes.IsExpiry;
                FallBehind();
            }
            else
            {
                _queue.Enqueue(changes);
                _bufferedBytes += bytes;
            }
            Wake();
        }
    }

    /// <summary>Notes the position after a commit, whose changes are posted. Called on the commit loop; never waits.</summary>
    public void Advance(WatchPosition position)
    {
        lock (_lock)
            _reached = position;
    }

    /// <summary>Makes the reader fall behind, because the next changes cannot be delivered one by one.</summary>
    public void PostGap()
    {
        lock (_lock)
        {
            FallBehind();
            Wake();
        }
    }

    /// <summary>Closes the buffer, because the store is closing.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            Wake();
        }
    }

    /// <summary>
    /// Starts to collect changes again, because the reader is about to read what it missed from the store. Returns true if it missed that documents have expired, which
    /// the log does not tell.
    /// </summary>
    public bool StartOver()
    {
        lock (_lock)
        {
            bool hasLostExpiry = _hasLostExpiry || _queue.Any(static changes => changes.IsExpiry);
            _hasLostExpiry = false;
            _queue.Clear();
            _bufferedBytes = 0;
            _reached = null;
            _isBehind = false;
            return hasLostExpiry;
        }
    }

    /// <summary>Returns the next changes, or an empty batch with the position if there are none for the progress interval, or null if the reader is behind.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public async ValueTask<DocumentChanges?> ReadAsync(CancellationToken cancellationToken)
    {
        bool isPatient = true;
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
                if (!isPatient && _reached is { } reached)
                    return new DocumentChanges([], reached, HasGap: false);
                _waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                waiting = _waiting.Task;
            }
            await waiting.WaitAsync(progressInterval, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            cancellationToken.ThrowIfCancellationRequested();
            isPatient = waiting.IsCompleted;
        }
    }

    void FallBehind()
    {
        _hasLostExpiry |= _queue.Any(static changes => changes.IsExpiry);
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
