using Datacake.Node.Membership;

namespace Datacake.Node.Network;

/// <summary>
/// The periodic resolution of the seeds' host names, which runs beside the rounds of gossip. Called by one thread at a time.
/// </summary>
sealed class SeedResolution(Seeds seeds, MembershipView view, TimeSpan interval, TimeProvider time)
{
    static readonly TimeSpan IntervalAlone = TimeSpan.FromSeconds(5);

    Task _running = Task.CompletedTask;
    long _resolvedAt;

    /// <summary>Gets a task that completes when the current resolution has ended.</summary>
    public Task Ended => _running;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await seeds.ResolveAsync(cancellationToken).ConfigureAwait(false);
        _resolvedAt = time.GetTimestamp();
    }

    /// <summary>
    /// Starts a resolution if one is due, but does not wait for it, because a name service that hangs must not delay the rounds.
    /// </summary>
    /// <returns>A task that fails if the previous resolution has failed.</returns>
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
            // The node is stopping.
        }
    }

    bool IsDue()
    {
        // While no other node is up, this node depends on seeds, which may have new addresses.
        var isAlone = view.Members.Count(member => member.IsUp) < 2;
        return time.GetElapsedTime(_resolvedAt) >= (isAlone && IntervalAlone < interval ? IntervalAlone : interval);
    }
}
