using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The open sessions of a replica, at most one with each peer, and why there is none with others [R6]. What it ends, it lists, so that the streams are
/// closed too: a stream whose session is over would keep either side from dialing again.
/// </summary>
/// <param name="node">The node whose sessions they are.</param>
sealed class SessionTable(byte node)
{
    readonly Dictionary<byte, Session> _open = [];
    readonly Dictionary<byte, Refusal> _refusals = [];
    readonly List<EndedSession> _ended = [];
    long _lastId;
    ulong _lastHello;

    /// <summary>The open sessions by the peers' node ids.</summary>
    public IReadOnlyDictionary<byte, Session> Open => _open;

    /// <summary>Why there is no session, of the peers that refuse one or that this replica refuses. A session that opens takes it away.</summary>
    public IReadOnlyDictionary<byte, Refusal> Refusals => _refusals;

    /// <summary>Returns the number of the next hello.</summary>
    public ulong NextHello() => ++_lastHello;

    public bool IsOpen(byte peer, long session) => _open.TryGetValue(peer, out var open) && open.Id == session;

    /// <summary>
    /// Returns true if a hello opens a session, false if the one that is open stays. Of two that open at once, the one that the lower node id has dialed
    /// stays on both sides.
    /// </summary>
    /// <remarks>
    /// A hello that was made before the one of the open session is stale. A later one of the same dialer means that the open session is over at its end.
    /// So it is where the higher node id dials, although the lower one holds a session of its own dialing to be open, and says that it has none: it had
    /// that session open before it sent the hello of it.
    /// </remarks>
    public bool Admits(Hello hello, bool isDialer)
    {
        if (!_open.TryGetValue(hello.Node, out var open))
            return true;
        // A hello of an earlier life may be late.
        if (open.Boot != hello.Boot)
            return hello.Run >= open.Run;
        if (hello.Number <= open.HelloNumber)
            return false;
        bool isOfLower = isDialer == node < hello.Node;
        return isDialer == open.IsDialer || isOfLower || (!isDialer && !hello.IsInSession);
    }

    /// <summary>Opens a session, which replaces the one with the same peer.</summary>
    public long Add(Hello hello, bool isDialer, ProtocolVersion protocol, TimeSpan clockOffset)
    {
        End(hello.Node, _open.TryGetValue(hello.Node, out var open) && open.Boot != hello.Boot
            ? new Refusal(RefusalKind.Superseded, $"a later life of node {hello.Node} has opened a session")
            : new Refusal(RefusalKind.InSession, "another session of the two replaces this one"));
        _refusals.Remove(hello.Node);
        _open[hello.Node] = new Session(
            ++_lastId, isDialer, hello.Number, protocol, hello.Boot, hello.StoreId, hello.Run, clockOffset, hello.Ancestors,
            hello.Table.RetiredDigest);
        return _lastId;
    }

    /// <summary>Takes note of what a peer reports of itself in its session.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="run">Its run, or none.</param>
    /// <param name="clockOffset">How far its wall clock is ahead of this node's.</param>
    /// <param name="retiredDigest">The digest of the retired stores that it knows.</param>
    /// <param name="tick">The present tick.</param>
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

    /// <summary>The session with a peer is over, for its stream is.</summary>
    public void Remove(byte peer) => _open.Remove(peer);

    /// <summary>Takes note of why there is no session with a peer.</summary>
    public void Note(byte peer, Refusal refusal)
    {
        if (!refusal.IsQuiet)
            _refusals[peer] = refusal;
    }

    /// <summary>
    /// Takes the sessions that were ended since the last call. Their streams are to be closed whether or not the batch in which they ended could be
    /// committed, for they are over in memory.
    /// </summary>
    public IReadOnlyList<EndedSession> TakeEnded()
    {
        if (_ended.Count == 0)
            return [];
        EndedSession[] ended = [.. _ended];
        _ended.Clear();
        return ended;
    }
}
