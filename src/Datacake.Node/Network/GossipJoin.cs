using Datacake.Node.Gossip;

namespace Datacake.Node.Network;

/// <summary>The search for the cluster at the start of a node. If the cluster refuses the node, the node does not start.</summary>
/// <param name="gossiper">The gossip state of this node.</param>
/// <param name="exchanges">The exchanges of this node.</param>
/// <param name="stop">Cancels the exchanges, which may continue after the search.</param>
sealed class GossipJoin(SharedGossiper gossiper, GossipExchanges exchanges, CancellationToken stop)
{
    /// <summary>
    /// Dials the seeds and the remembered nodes. Returns when one of them has answered, or when all have failed or timed out.
    /// </summary>
    /// <exception cref="ClusterRefusedException">
    /// The node id is in use, or a seed belongs to another cluster and no node of this cluster answers.
    /// </exception>
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
    /// Returns <see cref="ExchangeOutcome.Answered"/> if any node answers, otherwise <see cref="ExchangeOutcome.Refused"/> if a seed
    /// refuses. A refusal by a remembered node does not count, because its address may belong to another node by now.
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
