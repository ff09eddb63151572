using Datacake.Node.Gossip;

namespace Datacake.Node;

/// <summary>Looks for the cluster once, so that a node which cannot be part of it does not start.</summary>
/// <param name="gossiper">The gossip of this node.</param>
/// <param name="exchanges">The exchanges of this node.</param>
/// <param name="stop">Ends the exchanges, which may outlast the search.</param>
sealed class GossipJoin(SharedGossiper gossiper, GossipExchanges exchanges, CancellationToken stop)
{
    /// <summary>Returns as soon as one seed or one node that is remembered has answered, all have failed, or the time is over.</summary>
    /// <exception cref="ClusterRefusedException">The node id is in use, or a seed is of another cluster and none of this one's
    /// answers.</exception>
    public async Task RunAsync(IReadOnlyList<GossipTarget> seeds, CancellationToken cancellationToken)
    {
        var others = gossiper.Read(state =>
        {
            state.SetSeeds(seeds);
            return state.ChooseTargets();
        });
        var outcome = await AnswerOfAnyAsync(seeds, others.Except(seeds), cancellationToken).ConfigureAwait(false);
        var namesakes = gossiper.Read(state => state.NewNamesakes());
        var probes = Task.WhenAll(namesakes.Select(namesake => exchanges.OpenAsync(namesake, null, stop)));
        await probes.WaitAsync(cancellationToken).ConfigureAwait(false);
        if ((outcome == ExchangeOutcome.Refused ? gossiper.LastRefusal : gossiper.Refusal) is { } refusal)
            throw new ClusterRefusedException(refusal);
    }

    /// <summary>
    /// The first answer; if there is none, whether a seed refused. That someone else does may be due to an address that has changed hands.
    /// </summary>
    async Task<ExchangeOutcome> AnswerOfAnyAsync(
        IEnumerable<GossipTarget> seeds, IEnumerable<GossipTarget> others, CancellationToken cancellationToken)
    {
        var attempts = seeds.Select(seed => OutcomeAsync(seed, countsRefusal: true)).ToList();
        attempts.AddRange(others.Select(other => OutcomeAsync(other, countsRefusal: false)));
        var outcome = ExchangeOutcome.Silent;
        while (attempts.Count > 0 && outcome != ExchangeOutcome.Answered)
        {
            var attempt = await Task.WhenAny(attempts).WaitAsync(cancellationToken).ConfigureAwait(false);
            attempts.Remove(attempt);
            var next = await attempt.ConfigureAwait(false);
            outcome = next == ExchangeOutcome.Silent ? outcome : next;
        }
        return outcome;
    }

    async Task<ExchangeOutcome> OutcomeAsync(GossipTarget target, bool countsRefusal)
    {
        var (outcome, _, _) = await exchanges.OpenAsync(target, null, stop).ConfigureAwait(false);
        return outcome == ExchangeOutcome.Answered || (outcome == ExchangeOutcome.Refused && countsRefusal) ? outcome : ExchangeOutcome.Silent;
    }
}
