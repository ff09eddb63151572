using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The open sessions of a replica, at most one with each peer, and the reasons why there is none with others [R6]. The table lists the
/// sessions that it ends, so that their streams are closed as well: a stream whose session is over would keep either side from dialing
/// again.
/// </summary>
/// <param name="node">The node that the sessions belong to.</param>
sealed class SessionTable(byte node)
{
    readonly Dictionary<byte, Session> _open = [];
    readonly Dictionary<byte, Refusal> _refusals = [];
    readonly List<EndedSession> _ended = [];
    long _lastId;
    ulong _lastHello;

    /// <summary>Gets the open sessions by the peers' node ids.</summary>
    public IReadOnlyDictionary<byte, Session> Open => _open;

    /// <summary>
    /// Gets the reasons why there is no session, for peers that refuse one or are refused. An entry is removed when a session with the peer
    /// opens.
    /// </summary>
    public IReadOnlyDictionary<byte, Refusal> Refusals => _refusals;

    /// <summary>Returns the number of the next hello.</summary>
    public ulong NextHello() => ++_lastHello;

    public bool IsOpen(byte peer, long session) => _open.TryGetValue(peer, out var open) && open.Id == session;

    /// <summary>
    /// Returns true if a hello opens a session, or false if the existing session is kept. Of two sessions that open at once, both sides
    /// keep the one that the lower node id has dialed.
    /// </summary>
    /// <remarks>
    /// A hello that was made before the hello of the open session is stale. A later hello of the same dialer means that the open session
    /// has ended at the dialer's side. The same holds if the higher node id dials and says that it has no session, while the lower one
    /// still holds a session open that it dialed itself: the higher node had opened that session before it sent its hello, so the session
    /// has since ended there.
    /// </remarks>
    public bool Admits(Hello hello, bool isDialer)
    {
        if (!_open.TryGetValue(hello.Node, out var open))
            return true;
        // A hello of an earlier life may arrive late.
        if (open.Boot != hello.Boot)
            return hello.Run >= open.Run;
        if (hello.Number <= open.HelloNumber)
            return false;
        bool isOfLower = isDialer == node < hello.Node;
        return isDialer == open.IsDialer || isOfLower || (!isDialer && !hello.IsInSession);
    }

    /// <summary>Opens a session, which replaces an open one with the same peer.</summary>
    public long Add(Hello hello, bool isDialer, ProtocolVersion protocol, TimeSpan clockOffset)
    {
        End(hello.Node, _open.TryGetValue(hello.Node, out var open) && open.Boot != hello.Boot
            ? new Refusal(RefusalKind.Superseded, $"a later life of node {hello.Node} has opened a session")
            : new Refusal(RefusalKind.InSession, "another session between the two nodes replaces this one"));
        _refusals.Remove(hello.Node);
        _open[hello.Node] = new Session(
            ++_lastId, isDialer, hello.Number, protocol, hello.Boot, hello.StoreId, hello.Run, clockOffset, hello.Ancestors,
            hello.Table.RetiredDigest);
        return _lastId;
    }

    /// <summary>Updates a session with what its peer has reported about itself.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="run">The peer's run, or none.</param>
    /// <param name="clockOffset">The lead of the peer's wall clock over this node's.</param>
    /// <param name="retiredDigest">The digest of the retired stores that the peer knows.</param>
    /// <param name="tick">The current tick.</param>
    public void Update(byte peer, HlcTimestamp run, TimeSpan clockOffset, ulong retiredDigest, long tick)
    {
        if (_open.TryGetValue(peer, out var open))
            _open[peer] = open with { Run = run, ClockOffset = clockOffset, RetiredDigest = retiredDigest, ReportTick = tick };
    }

    /// <summary>Ends the session with a peer, if there is one, and has its stream closed.</summary>
    public void End(byte peer, Refusal refusal)
    {
        if (_open.Remove(peer, out var session))
            _ended.Add(new EndedSession(peer, session.Id, refusal));
        Note(peer, refusal);
    }

    /// <summary>Removes the session with a peer, whose stream is already closed or closing.</summary>
    public void Remove(byte peer) => _open.Remove(peer);

    /// <summary>Records the reason why there is no session with a peer.</summary>
    public void Note(byte peer, Refusal refusal)
    {
        if (!refusal.IsQuiet)
            _refusals[peer] = refusal;
    }

    /// <summary>
    /// Returns the sessions that were ended since the last call. The caller must close their streams even if the batch in which they ended
    /// failed to commit, because the sessions are over in memory.
    /// </summary>
    /// <param name="isCommitted">False if the last batch was not committed: that a store is retired is told once it is durable.</param>
    public IReadOnlyList<EndedSession> TakeEnded(bool isCommitted)
    {
        if (_ended.Count == 0)
            return [];
        EndedSession[] ended = [.. _ended.Where(session => isCommitted || session.Refusal.Kind != RefusalKind.Retired)];
        _ended.RemoveAll(ended.Contains);
        return ended;
    }
}
