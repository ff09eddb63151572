using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// A roll call that is in progress [R12, R14]. It is a consistent cut if the sessions that were open at its start are still open when all
/// members have answered.
/// </summary>
/// <remarks>See PROTOCOL.md: roll call.</remarks>
/// <param name="node">The node that calls the roll.</param>
/// <param name="nonce">A number that distinguishes the roll call from all others of this process.</param>
/// <param name="sessions">The open sessions.</param>
sealed class Roll(byte node, ulong nonce, IReadOnlyDictionary<byte, Session> sessions)
{
    readonly Dictionary<byte, Session> _sessions = new(sessions);
    readonly Dictionary<byte, Report> _answers = [];

    /// <summary>True if a peer has answered.</summary>
    public bool HasAnswers => _answers.Count > 0;

    /// <summary>Adds the roll calls to the outbox of a batch.</summary>
    public void Call(ReplicaBatch batch)
    {
        foreach (var (peer, session) in _sessions)
            batch.Outbox.Add(new Outgoing(peer, session.Id, new RollCall(nonce)));
    }

    /// <summary>Records the report of a peer. Returns true if it answers this roll call.</summary>
    public bool Take(byte peer, Report report)
    {
        if (report.Nonce != nonce)
            return false;
        _answers[peer] = report;
        return true;
    }

    /// <summary>Returns true if all members that have answered have forgotten the given member.</summary>
    public bool IsForgotten(byte member) => _answers.Values.All(answer => answer.Table.Forgotten.Contains(member));

    /// <summary>
    /// Returns true if all needed members have answered, within sessions that were open when the roll was called and still are, know all
    /// retired stores, and have no session with an earlier life of another node.
    /// </summary>
    public bool IsComplete(HashSet<byte> needed, IReadOnlyDictionary<byte, Session> open, IEnumerable<ulong> retired)
    {
        if (!needed.IsSubsetOf(_answers.Keys) || _sessions.Count != open.Count)
            return false;
        bool sessionsHold = _sessions.All(session => open.TryGetValue(session.Key, out var found) && found.Id == session.Value.Id);
        return sessionsHold && _answers.Values.All(answer => retired.All(answer.Table.Retired.ContainsKey)
            && answer.Boots.All(boot => boot.Key == node || (open.TryGetValue(boot.Key, out var session) && session.Boot == boot.Value)));
    }

    /// <summary>
    /// Returns all transactions of the calling node that the answers name, or null unless each answer also reports on its sender.
    /// </summary>
    public VersionVector? KnownOfCaller()
    {
        // A joining store that waits for a roll call may hold transactions that have since been lost elsewhere, and reports on them only
        // after it has joined.
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
