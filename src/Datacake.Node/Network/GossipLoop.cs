using Datacake.Node.Gossip;
using Datacake.Node.Membership;

namespace Datacake.Node.Network;

/// <summary>
/// The gossip of a node from start to stop: the search for the cluster, periodic rounds, and the farewell. Owns the gossiper.
/// </summary>
sealed class GossipLoop : IAsyncDisposable
{
    readonly SharedGossiper _gossiper;
    readonly IGossipLink _link;
    readonly Seeds _seeds;
    readonly SeedResolution _resolution;
    readonly GossipExchanges _exchanges;
    readonly TimeSpan _interval;
    readonly TimeProvider _time;
    readonly CancellationTokenSource _stop = new();
    Task _rounds = Task.CompletedTask;

    public GossipLoop(
        SharedGossiper gossiper,
        GossipOptions options,
        IGossipLink link,
        Seeds seeds,
        MembershipView view,
        NodeMetrics metrics,
        TimeProvider time)
    {
        _gossiper = gossiper;
        _link = link;
        _seeds = seeds;
        _resolution = new SeedResolution(seeds, view, options.SeedResolveInterval, time);
        _exchanges = new GossipExchanges(gossiper, link, seeds, metrics);
        _interval = options.Interval;
        _time = time;
    }

    /// <summary>Starts to receive messages, and searches for the cluster once; see <see cref="GossipJoin"/>.</summary>
    /// <exception cref="ClusterRefusedException">
    /// The node id is in use, or a seed belongs to another cluster and no node of this cluster answers.
    /// </exception>
    public async Task JoinAsync(CancellationToken cancellationToken)
    {
        _link.Open(_gossiper.Receive);
        await _resolution.RunAsync(cancellationToken).ConfigureAwait(false);
        await new GossipJoin(_gossiper, _exchanges, _stop.Token).RunAsync(_seeds.Targets, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Starts the rounds.</summary>
    public void Start() => _rounds = RunRoundsAsync(_stop.Token);

    /// <summary>Ends the rounds, and tells all nodes that may be up that this node leaves.</summary>
    public async Task LeaveAsync()
    {
        await StopAsync().ConfigureAwait(false);
        var peers = _gossiper.Read(gossiper =>
        {
            gossiper.Set(NodeKeys.State, NodeKeys.Left);
            return gossiper.FarewellTargets();
        });
        await Task.WhenAll(peers.Select(peer => _exchanges.OpenAsync(peer, null, CancellationToken.None))).ConfigureAwait(false);
    }

    /// <summary>Ends the rounds without a farewell.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _gossiper.Dispose();
        _stop.Dispose();
    }

    async Task StopAsync()
    {
        if (!_stop.IsCancellationRequested)
            await _stop.CancelAsync().ConfigureAwait(false);
        await _rounds.ConfigureAwait(false);
        await _resolution.Ended.ConfigureAwait(false);
        await _exchanges.Ended.ConfigureAwait(false);
    }

    async Task RunRoundsAsync(CancellationToken cancellationToken)
    {
        // The first rounds are faster because applications wait for a node that has just started.
        const int WarmUpRounds = 12;
        using var timer = new PeriodicTimer(_interval / 4, _time);
        try
        {
            for (var round = 0L; ; round++)
            {
                if (round == WarmUpRounds)
                    timer.Period = _interval;
                await RunRoundAsync(cancellationToken).ConfigureAwait(false);
                await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node is stopping.
        }
    }

    async Task RunRoundAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _resolution.BeginIfDueAsync(cancellationToken).ConfigureAwait(false);
            var round = _gossiper.StartRound(_seeds);
            foreach (var target in round.Targets)
                if (!_exchanges.IsRunning(target))
                    _ = _exchanges.OpenAsync(target, round.Message, cancellationToken);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            _gossiper.RoundFailed(failure);
        }
    }
}
