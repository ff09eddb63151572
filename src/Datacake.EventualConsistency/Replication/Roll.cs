using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// A roll call that is under way [R12, R14]: a consistent cut, if the sessions of its start are still open when all have answered.
/// </summary>
/// <param name="node">The node that calls.</param>
/// <param name="nonce">Tells the call from all others of this process.</param>
/// <param name="sessions">The open sessions.</param>
sealed class Roll(byte node, ulong nonce, IReadOnlyDictionary<byte, Session> sessions)
{
    readonly Dictionary<byte, Session> _sessions = new(sessions);
    readonly Dictionary<byte, Report> _answers = [];

    /// <summary>True if a peer has answered.</summary>
    public bool HasAnswers => _answers.Count > 0;

    /// <summary>Puts the calls into the outbox of a batch.</summary>
    public void Call(ReplicaBatch batch)
    {
        foreach (var (peer, session) in _sessions)
            batch.Outbox.Add(new Outgoing(peer, session.Id, new RollCall(nonce)));
    }

    /// <summary>Takes a report of a peer; returns true if it answers this call.</summary>
    public bool Take(byte peer, Report report)
    {
        if (report.Nonce != nonce)
            return false;
        _answers[peer] = report;
        return true;
    }

    /// <summary>Returns true if everyone who has answered no longer waits for a member.</summary>
    public bool IsForgotten(byte member) => _answers.Values.All(answer => answer.Table.Forgotten.Contains(member));

    /// <summary>
    /// Returns true if all who are needed answered within sessions that were open when the roll was called and still are, and nobody talks to an earlier
    /// life of anybody or to a retired store.
    /// </summary>
    public bool IsComplete(HashSet<byte> needed, IReadOnlyDictionary<byte, Session> open, IEnumerable<ulong> retired)
    {
        if (!needed.IsSubsetOf(_answers.Keys) || _sessions.Count != open.Count)
            return false;
        bool sessionsHold = _sessions.All(session => open.TryGetValue(session.Key, out var found) && found.Id == session.Value.Id);
        return sessionsHold && _answers.Values.All(answer => retired.All(answer.Table.Retired.ContainsKey)
            && answer.Boots.All(boot => boot.Key == node || (open.TryGetValue(boot.Key, out var session) && session.Boot == boot.Value)));
    }

    /// <summary>Returns all that the answers name of the transactions of the calling node, or null unless each of them reports on itself.</summary>
    public VersionVector? KnownOfCaller()
    {
        // A store that is joining may wait with a copy of what has since been lost elsewhere; it does not report on that before it has joined.
        var known = VersionVector.Empty;
        foreach (var (peer, answer) in _answers)
        {
            if (!answer.Peers.TryGetValue(peer, out var own))
                return null;
            known = known.Union(own.Known.OfNode(node));
        }
        return known;
    }
}
