using Datacake.Node.Diagnostics;
using Datacake.Node.Gossip;
using Datacake.Node.Membership;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Network;

/// <summary>
/// The log of lasting problems of the gossip: invalid messages, refusals, failing rounds, namesakes of another implementation, and nodes
/// with another version of the protocol. Each is logged when it begins, once an hour with a count, and when it ends. Called by one thread at a time.
/// </summary>
sealed class GossipLog(GossipId self, string clusterId, TimeProvider time, ILogger logger)
{
    const string FailingRounds = "rounds";

    readonly LastingConditions _conditions = new(time);
    readonly ForeignNamesakes _foreignNamesakes = new(logger);
    readonly OtherProtocols _otherProtocols = new(logger);

    /// <summary>
    /// Gets the last refusal, or null if there was none. While this node gives way to another one, it is the last refusal that requires
    /// this.
    /// </summary>
    public string? LastRefusal { get; private set; }

    public void Garbage(string peer, string error)
    {
        if (_conditions.Note($"garbage {peer}", out var count))
            NodeLog.MessageDropped(logger, peer, error, count);
    }

    /// <param name="refusal">The refusal.</param>
    /// <param name="peer">The address that this node dialed, or the host that dialed this node.</param>
    /// <param name="givesWay">True if this node gives way to another one.</param>
    public void Refused(GossipRefusal refusal, string peer, bool givesWay)
    {
        var text = refusal.Describe(self, clusterId, peer);
        // A refusal that makes this node give way is more important than one that only concerns a single peer.
        if (refusal.IsOwnFault || !givesWay)
            LastRefusal = text;
        // The generation is not part of the key: it differs with each start of a peer that keeps restarting.
        var other = refusal.Peer is { } known ? $"{known.Id.Name} {known.Id.Address} {known.ClusterId}" : peer;
        if (_conditions.Note($"refusal {refusal.Reason} {other}", out var count, _ => NodeLog.RefusalEnded(logger, text)))
            NodeLog.Refused(logger, text, count);
    }

    /// <summary>Ends the conditions that have not been noted for a while, and the failure of rounds, because a round has begun.</summary>
    public void RoundBegun(Gossiper gossiper)
    {
        _foreignNamesakes.Report(gossiper.Nodes, gossiper.IsAlive);
        _otherProtocols.Report(gossiper.Nodes, gossiper.IsAlive);
        _conditions.EndQuiet(LastingConditions.Quiet);
        _conditions.End(FailingRounds);
    }

    public void RoundFailed(Exception failure)
    {
        if (_conditions.Note(FailingRounds, out var count))
            NodeLog.RoundFailed(logger, count, failure);
    }
}
