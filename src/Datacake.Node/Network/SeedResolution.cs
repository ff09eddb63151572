namespace Datacake.Node;

/// <summary>Resolves the host names of the seeds again and again, beside the rounds of gossip. Called by one thread at a time.</summary>
sealed class SeedResolution(Seeds seeds, MembershipView view, TimeSpan interval, TimeProvider time)
{
    static readonly TimeSpan IntervalAlone = TimeSpan.FromSeconds(5);

    Task _running = Task.CompletedTask;
    long _resolvedAt;

    /// <summary>Gets a task that ends when the present resolution has.</summary>
    public Task Ended => _running;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await seeds.ResolveAsync(cancellationToken).ConfigureAwait(false);
        _resolvedAt = time.GetTimestamp();
    }

    /// <summary>Begins to resolve if it is time to. A name service that hangs must not hold up the rounds.</summary>
    /// <returns>Fails as the resolution before has; does not wait for the one that begins.</returns>
    public async ValueTask BeginIfDueAsync(CancellationToken cancellationToken)
    {
        if (!_running.IsCompleted || !IsDue())
            return;
        await _running.ConfigureAwait(false);
        _running = RunUntilStopAsync(cancellationToken);
    }

    async Task RunUntilStopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await RunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    bool IsDue()
    {
        // While no other node is up, a seed that has come under a new address is what the node waits for.
        var isAlone = view.Members.Count(member => member.IsUp) < 2;
        return time.GetElapsedTime(_resolvedAt) >= (isAlone && IntervalAlone < interval ? IntervalAlone : interval);
    }
}
