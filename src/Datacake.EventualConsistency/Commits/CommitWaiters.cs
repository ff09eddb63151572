namespace Datacake.EventualConsistency.Commits;

/// <summary>The callers that wait until commits have made a condition true. Thread-safe.</summary>
sealed class CommitWaiters
{
    readonly Lock _lock = new();
    readonly List<(Func<bool> Condition, TaskCompletionSource Done)> _waiting = [];     // under the lock
    bool _isClosed;                                                                     // under the lock

    /// <summary>Waits until a condition holds. The condition is evaluated at once and after each commit, and must be fast.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed, or was closed before the condition held.</exception>
    public async ValueTask WaitAsync(Func<bool> condition, CancellationToken cancellationToken)
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (condition())
                return;
            if (_isClosed)
                throw CommitLoop.Closed();
            _waiting.Add((condition, waiter));
        }
        try
        {
            await waiter.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
                _waiting.Remove((condition, waiter));
        }
    }

    /// <summary>Releases the callers whose condition holds. Called after each commit.</summary>
    public void Release()
    {
        lock (_lock)
            _waiting.RemoveAll(static waiter => waiter.Condition() && waiter.Done.TrySetResult());
    }

    /// <summary>Fails all waits, because the store is closed.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            foreach (var (_, waiter) in _waiting)
            {
                waiter.TrySetException(CommitLoop.Closed());
                // Observed here, because the caller may no longer be waiting.
                _ = waiter.Task.Exception;
            }
        }
    }
}
