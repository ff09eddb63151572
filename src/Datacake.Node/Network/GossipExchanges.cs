using System.Collections.Concurrent;
using Datacake.Node.Gossip;

namespace Datacake.Node.Network;

/// <summary>The pending exchanges that this node has opened. Thread-safe.</summary>
sealed class GossipExchanges(SharedGossiper gossiper, IGossipLink link, Seeds seeds, NodeMetrics metrics)
{
    readonly ConcurrentDictionary<GossipTarget, Task<ExchangeResult>> _running = new();

    /// <summary>Gets a task that completes when all pending exchanges have ended.</summary>
    public Task Ended => Task.WhenAll(_running.Values);

    public bool IsRunning(GossipTarget target) => _running.ContainsKey(target);

    /// <summary>Opens an exchange with a node.</summary>
    /// <param name="target">The address to dial.</param>
    /// <param name="syn">The opening message; null to create it from the current state.</param>
    /// <param name="cancellationToken">Cancels the exchange, which then counts as unanswered.</param>
    public Task<ExchangeResult> OpenAsync(GossipTarget target, GossipMessage.Syn? syn, CancellationToken cancellationToken)
    {
        var exchange = RunAsync(target, syn, cancellationToken);
        _running[target] = exchange;
        _ = exchange.ContinueWith(
            _ => _running.TryRemove(KeyValuePair.Create(target, exchange)),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
        return exchange;
    }

    async Task<ExchangeResult> RunAsync(GossipTarget target, GossipMessage.Syn? syn, CancellationToken cancellationToken)
    {
        var (number, message) = gossiper.OpenExchange(syn);
        var result = await link.ExchangeAsync(target, number, message, cancellationToken).ConfigureAwait(false);
        metrics.ExchangeEnded(result.Outcome);
        if (!cancellationToken.IsCancellationRequested)
            seeds.Note(target, result);
        return result;
    }
}
