using Datacake.Node.Gossip;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>
/// Logs the lasting faults of the gossip when they begin, once an hour with a count, and when they end: garbage, refusals, failing rounds, and
/// namesakes of another implementation. Called by one thread at a time.
/// </summary>
sealed class GossipLog(GossipId self, string clusterId, TimeProvider time, ILogger logger)
{
    const string FailingRounds = "rounds";

    readonly LastingConditions _conditions = new(time);
    readonly ForeignNamesakes _foreignNamesakes = new(logger);

    /// <summary>Gets the last refusal, or the last one that this node has to give way to; null if there was none.</summary>
    public string? LastRefusal { get; private set; }

    public void Garbage(string peer, string error)
    {
        if (_conditions.Note($"garbage {peer}", out var count))
            NodeLog.MessageDropped(logger, peer, error, count);
    }

    /// <param name="refusal">The refusal.</param>
    /// <param name="peer">The address that was dialed, or the host that dialed.</param>
    /// <param name="givesWay">True if this node gives way to another one.</param>
    public void Refused(GossipRefusal refusal, string peer, bool givesWay)
    {
        var text = refusal.Describe(self, clusterId, peer);
        // What this node has to give way to outweighs what it only does not talk to.
        if (refusal.IsOwnFault || !givesWay)
            LastRefusal = text;
        // Without the generation, which grows with each start of a peer that is started again and again.
        var other = refusal.Peer is { } known ? $"{known.Id.Name} {known.Id.Address} {known.ClusterId}" : peer;
        if (_conditions.Note($"refusal {refusal.Reason} {other}", out var count, _ => NodeLog.RefusalEnded(logger, text)))
            NodeLog.Refused(logger, text, count);
    }

    /// <summary>Ends the conditions that were not seen for a while, and a failure of the rounds, since one has begun.</summary>
    public void RoundBegun(Gossiper gossiper)
    {
        _foreignNamesakes.Report(gossiper.Nodes, gossiper.IsAlive);
        _conditions.EndQuiet(LastingConditions.Quiet);
        _conditions.End(FailingRounds);
    }

    public void RoundFailed(Exception failure)
    {
        if (_conditions.Note(FailingRounds, out var count))
            NodeLog.RoundFailed(logger, count, failure);
    }
}
