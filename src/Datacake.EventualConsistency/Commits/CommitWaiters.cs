namespace Datacake.EventualConsistency.Commits;

/// <summary>Callers that wait until commits have brought the store to something. Thread-safe.</summary>
sealed class CommitWaiters
{
    readonly Lock _lock = new();
    readonly List<(Func<bool> Condition, TaskCompletionSource Done)> _waiting = [];     // under the lock
    bool _isClosed;                                                                     // under the lock

    /// <summary>Waits until a condition holds; it is looked at now and after each commit, and must be quick.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed, or was before it held.</exception>
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

    /// <summary>After a commit: lets those go whose condition holds.</summary>
    public void Release()
    {
        lock (_lock)
            _waiting.RemoveAll(static waiter => waiter.Condition() && waiter.Done.TrySetResult());
    }

    /// <summary>The store is closed: nobody waits any longer.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            foreach (var (_, waiter) in _waiting)
            {
                waiter.TrySetException(CommitLoop.Closed());
                // Its caller may no longer wait.
                _ = waiter.Task.Exception;
            }
        }
    }
}
