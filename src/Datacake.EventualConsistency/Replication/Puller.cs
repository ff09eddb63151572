using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>The part of a replica that asks its peers for what it lacks: when, whom, and how far the answers are [R8].</summary>
/// <param name="table">The open sessions.</param>
/// <param name="members">What the peers are known to have.</param>
/// <param name="seedTaker">The copy with which the store joins, which is asked for until it is whole.</param>
/// <param name="run">The run of the store, which begins when it joins.</param>
/// <param name="maxStagedLength">The limit of the parts of an answer that wait for a clean cut, in bytes.</param>
sealed class Puller(SessionTable table, Members members, SeedTaker seedTaker, OwnRun run, long maxStagedLength)
{
    /// <summary>After so many ticks without a part, a pull counts as lost.</summary>
    const int MaxIdleTicks = 20;

    readonly Dictionary<byte, PullProgress> _pulls = [];

    // What each peer had more than this replica, as of the last tick. What is on its way over another link is mostly gone a tick later.
    readonly Dictionary<byte, VersionVector> _missing = [];

    // Of the pulls that the batch under way has started, or moved on: what they were before it, or null.
    readonly Dictionary<byte, PullProgress?> _before = [];

    ulong _lastPull;
    byte _lastAsked;                                    // peers take turns, for one of them may decline again and again

    /// <summary>True if a pull is under way.</summary>
    public bool IsPulling => _pulls.Count > 0;

    bool NeedsSeed => !run.HasBegun && !seedTaker.IsWhole;

    /// <summary>Asks a peer, in its session, for everything that this replica lacks.</summary>
    /// <param name="batch">Where to put the request.</param>
    /// <param name="peer">The peer.</param>
    /// <param name="isFull">True for all that the peer has, to be merged where the two differ though they know the same [R15].</param>
    public void Start(ReplicaBatch batch, byte peer, bool isFull = false)
    {
        var state = batch.State;
        _before.TryAdd(peer, _pulls.GetValueOrDefault(peer));
        _pulls[peer] = new PullProgress(++_lastPull, state.Known, isFull, maxStagedLength);
        _lastAsked = peer;
        seedTaker.OnAsked();
        bool isJoining = !run.HasBegun;
        var request = new PullRequest(_lastPull, state.Known, state.Truncated, isJoining, isJoining ? seedTaker.Position : null, isFull);
        batch.Outbox.Add(new Outgoing(peer, table.Open[peer].Id, request));
    }

    /// <summary>Returns true if a peer with whom a session has just been opened has something that this replica lacks.</summary>
    public bool HasMore(ReplicaBatch batch, byte peer, Hello hello) => !hello.Run.IsNone && (run.HasBegun
        ? !batch.State.Known.Covers(hello.Known)
        : NeedsSeed && seedTaker.CanGoOnWith(hello.Known) && IsSafeSource(peer));

    /// <summary>
    /// Counts a tick: gives up pulls of which nothing comes, and pulls from a peer that has for a while had what this replica lacks; where several have, from
    /// one after the other.
    /// </summary>
    /// <param name="batch">Where to put a request.</param>
    /// <param name="mayStart">False if no pull may be started now.</param>
    /// <param name="mayAsk">Returns false for peers that are not to be asked now.</param>
    public void Tick(ReplicaBatch batch, bool mayStart, Func<byte, bool> mayAsk)
    {
        foreach (var (peer, pull) in _pulls.ToArray())
        {
            if (++pull.IdleTicks > MaxIdleTicks)
                _pulls.Remove(peer);
        }
        mayStart &= !IsPulling;
        if (mayStart)
            seedTaker.CountWait();
        var candidates = new List<byte>();
        foreach (byte peer in table.Open.Keys)
        {
            var missing = members.KnownOf(peer).Except(batch.State.Known);
            bool isLasting = _missing.TryGetValue(peer, out var before) && !before.Intersect(missing).IsEmpty;
            _missing[peer] = missing;
            bool hasSeed = NeedsSeed && members.HasRun(peer) && IsSafeSource(peer) && seedTaker.MayTakeFrom(members.KnownOf(peer));
            if (((run.HasBegun && isLasting) || hasSeed) && mayAsk(peer))
                candidates.Add(peer);
        }
        if (mayStart && candidates.Count > 0)
            Start(batch, candidates.MinBy(peer => (peer <= _lastAsked, peer)));
    }

    /// <summary>Returns the pull to whose answer a part belongs that comes next, or null if there is none; the part then counts as come.</summary>
    public PullProgress? Expect(byte peer, ulong pull, ulong stream, int number)
    {
        if (!_pulls.TryGetValue(peer, out var expecting))
            return null;
        if (!_before.ContainsKey(peer))
            _before.Add(peer, expecting.Clone());
        return expecting.Expects(pull, stream, number) ? expecting : null;
    }

    /// <summary>Takes note that a part of the answer to the pull from a peer has come, though the rest of a message is missing.</summary>
    public void OnProgress(byte peer)
    {
        if (_pulls.TryGetValue(peer, out var pull))
            pull.IdleTicks = 0;
    }

    /// <summary>
    /// Gives up a pull that the peer cannot answer; returns it, if there is one. What is missing is asked for again a tick later than from a peer that can.
    /// </summary>
    public PullProgress? OnDeclined(byte peer, ulong pull)
    {
        if (!_pulls.TryGetValue(peer, out var declined) || declined.Pull != pull)
            return null;
        Forget(peer);
        return declined;
    }

    /// <summary>The pull from a peer is over.</summary>
    public void End(byte peer) => _pulls.Remove(peer);

    /// <summary>All pulls are over.</summary>
    public void EndAll()
    {
        _pulls.Clear();
        _before.Clear();
    }

    /// <summary>The batch is committed.</summary>
    public void OnCommitted() => _before.Clear();

    /// <summary>
    /// The batch was not committed. If nothing of it is stored, what it has moved on is as before, and may come again; else it is over, and what it has brought
    /// is fetched again.
    /// </summary>
    public void OnAbandoned(bool isUnchanged)
    {
        foreach (var (peer, before) in _before)
        {
            if (isUnchanged && before is not null)
                _pulls[peer] = before;
            else
                _pulls.Remove(peer);
        }
        _before.Clear();
    }

    /// <summary>The session with a peer is over.</summary>
    public void Forget(byte peer)
    {
        _pulls.Remove(peer);
        _before.Remove(peer);
        _missing.Remove(peer);
    }

    /// <summary>Returns true if a joining store may take its first data from a peer: it avoids what may be a stray, if there is another.</summary>
    bool IsSafeSource(byte peer) => !members.MayBeStray(table.Open[peer])
        || table.Open.All(session => session.Key == peer || !members.HasRun(session.Key) || members.MayBeStray(session.Value));
}
