namespace Datacake.EventualConsistency.Links;

/// <summary>A signal that wakes one waiting task. A call while nobody waits counts for the next wait. Thread-safe.</summary>
sealed class WakeUp(TimeProvider time)
{
    volatile TaskCompletionSource _called = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Call() => _called.TrySetResult();

    /// <summary>Waits for a call, for at most the given time if there is one.</summary>
    /// <returns>True if there was a call.</returns>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    public async Task<bool> WaitAsync(TimeSpan? atMost, CancellationToken cancellationToken)
    {
        var called = _called;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var timeout = Task.Delay(atMost ?? Timeout.InfiniteTimeSpan, time, over.Token);
        await Task.WhenAny(called.Task, timeout).ConfigureAwait(false);
        bool wasCalled = called.Task.IsCompleted;
        if (wasCalled)
            _called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await over.CancelAsync().ConfigureAwait(false);
        await timeout.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        return wasCalled;
    }
}
