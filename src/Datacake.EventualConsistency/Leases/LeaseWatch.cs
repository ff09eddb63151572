using Datacake.EventualConsistency.Commits;

namespace Datacake.EventualConsistency.Leases;

/// <summary>The one watch of all leases that calls of this node wait for. It runs while there is such a call. Thread-safe.</summary>
sealed class LeaseWatch(LeaseRegister register) : IAsyncDisposable
{
    readonly Lock _lock = new();
    readonly Dictionary<DocumentKey, List<LeaseWaiter>> _waiters = [];      // under the lock
    Run? _run;                                                              // under the lock; null while nobody waits
    Task _running = Task.CompletedTask;                                     // under the lock; ends when all runs have ended

    /// <summary>Begins to wait for the changes of a lease. Those that are made after the call has ended are seen.</summary>
    public async Task<LeaseWaiter> BeginAsync(DocumentKey key, CancellationToken cancellationToken)
    {
        var waiter = new LeaseWaiter(this, key, register);
        Run run;
        lock (_lock)
        {
            if (!_waiters.TryGetValue(key, out var waiters))
                _waiters.Add(key, waiters = []);
            waiters.Add(waiter);
            if (_run is null)
            {
                _run = new Run();
                var started = _run;
                _running = Task.WhenAll(_running, Task.Run(() => RunAsync(started), CancellationToken.None));
            }
            run = _run;
        }
        try
        {
            await run.Watching.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            return waiter;
        }
        catch
        {
            waiter.Dispose();
            throw;
        }
    }

    public void Remove(LeaseWaiter waiter)
    {
        Run? ended = null;
        lock (_lock)
        {
            if (!_waiters.TryGetValue(waiter.Key, out var waiters) || !waiters.Remove(waiter))
                return;
            if (waiters.Count == 0)
                _waiters.Remove(waiter.Key);
            if (_waiters.Count == 0)
                (ended, _run) = (_run, null);
        }
        ended?.Ending.Cancel();
    }

    /// <summary>Waits until no run is left. Called once the store is closed, which ends them.</summary>
    public async ValueTask DisposeAsync()
    {
        Task running;
        lock (_lock)
            running = _running;
        await running.ConfigureAwait(false);
    }

    async Task RunAsync(Run run)
    {
        try
        {
            var changes = register.Watch(run.Ending.Token).GetAsyncEnumerator(run.Ending.Token);
            await using var disposing = changes.ConfigureAwait(false);
            // The first result says that the watch has begun.
            await changes.MoveNextAsync().ConfigureAwait(false);
            run.Watching.TrySetResult();
            while (await changes.MoveNextAsync().ConfigureAwait(false))
                Tell(run, changes.Current);
            throw CommitLoop.Closed();
        }
        catch (Exception e)
        {
            Fail(run, e);
        }
    }

    void Tell(Run run, DocumentChanges changes)
    {
        lock (_lock)
        {
            if (_run != run)
                return;
            if (changes.HasGap)
            {
                foreach (var waiter in _waiters.Values.SelectMany(static waiters => waiters))
                    waiter.Tell(record: null);
            }
            foreach (var change in changes.Changes)
            {
                if (!_waiters.TryGetValue(change.Key, out var waiters))
                    continue;
                try
                {
                    var record = LeaseRecord.Of(change.After);
                    foreach (var waiter in waiters)
                        waiter.Tell(record);
                }
                catch (InvalidDataException e)
                {
                    foreach (var waiter in waiters)
                        waiter.Fail(e);
                }
            }
        }
    }

    /// <summary>Ends the waits of a run that has failed. The next call begins another run.</summary>
    void Fail(Run run, Exception cause)
    {
        lock (_lock)
        {
            if (_run == run)
            {
                foreach (var waiter in _waiters.Values.SelectMany(static waiters => waiters))
                    waiter.Fail(cause);
                _waiters.Clear();
                _run = null;
            }
        }
        run.Watching.TrySetException(cause);
        // Observed here, because the call that waited for it may have been canceled.
        _ = run.Watching.Task.Exception;
    }

    /// <summary>One run of the watch.</summary>
    sealed class Run
    {
        public TaskCompletionSource Watching { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationTokenSource Ending { get; } = new();
    }
}
