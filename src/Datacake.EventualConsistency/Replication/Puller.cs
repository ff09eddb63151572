using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The part of a replica that pulls missing data from its peers: it decides when and from whom, and tracks the answers [R8].
/// </summary>
/// <remarks>See PROTOCOL.md: pull.</remarks>
/// <param name="table">The open sessions.</param>
/// <param name="members">The members, with their known sets.</param>
/// <param name="seedCopier">The seed with which the store joins. It is requested until it is complete.</param>
/// <param name="run">The run of the store, which begins when the store joins.</param>
/// <param name="maxStagedLength">The maximum length of the parts of an answer that wait for a clean cut, in bytes.</param>
sealed class Puller(SessionTable table, Members members, SeedCopier seedCopier, OwnRun run, long maxStagedLength)
{
    /// <summary>The number of ticks without a new part after which a pull is given up.</summary>
    const int MaxIdleTicks = 20;

    readonly Dictionary<byte, PullProgress> _pulls = [];

    // For each peer, the stamps that only the peer knew at the last tick. Most of what is still arriving over another link is known a tick
    // later.
    readonly Dictionary<byte, VersionVector> _missing = [];

    // For each pull that the current batch has started or advanced, its state before the batch; null for one that was started.
    readonly Dictionary<byte, PullProgress?> _before = [];

    ulong _lastPull;
    byte _lastAsked;                                    // peers take turns, because one of them may keep declining

    /// <summary>True if a pull is in progress.</summary>
    public bool IsPulling => _pulls.Count > 0;

    bool NeedsSeed => !run.HasBegun && !seedCopier.IsWhole;

    /// <summary>Asks a peer, in its session, for everything that this replica lacks.</summary>
    /// <param name="batch">The batch whose outbox receives the request.</param>
    /// <param name="peer">The peer.</param>
    /// <param name="isFull">True to request a full snapshot to merge, because the two differ though they know the same [R15].</param>
    public void Start(ReplicaBatch batch, byte peer, bool isFull = false)
    {
        var state = batch.State;
        _before.TryAdd(peer, _pulls.GetValueOrDefault(peer));
        _pulls[peer] = new PullProgress(++_lastPull, state.Known, isFull, maxStagedLength);
        _lastAsked = peer;
        seedCopier.OnAsked();
        bool isJoining = !run.HasBegun;
        var request = new PullRequest(_lastPull, state.Known, state.Truncated, isJoining, isJoining ? seedCopier.Position : null, isFull);
        batch.Outbox.Add(new Outgoing(peer, table.Open[peer].Id, request));
    }

    /// <summary>Returns true if a peer with which a session was just opened has something that this replica lacks.</summary>
    public bool HasMore(ReplicaBatch batch, byte peer, Hello hello) => !hello.Run.IsNone && (run.HasBegun
        ? !batch.State.Known.Covers(hello.Known)
        : NeedsSeed && seedCopier.CanContinueWith(hello.Known) && IsSafeSource(peer));

    /// <summary>
    /// Counts a tick: gives up pulls that no longer progress, and starts a pull if a peer still has what this replica already lacked at the
    /// last tick. If there are several such peers, they take turns.
    /// </summary>
    /// <param name="batch">The batch whose outbox receives the request.</param>
    /// <param name="mayStart">False if no pull may be started now.</param>
    /// <param name="mayAsk">Returns false for peers that must not be asked now.</param>
    public void Tick(ReplicaBatch batch, bool mayStart, Func<byte, bool> mayAsk)
    {
        foreach (var (peer, pull) in _pulls.ToArray())
        {
            if (++pull.IdleTicks > MaxIdleTicks)
                _pulls.Remove(peer);
        }
        mayStart &= !IsPulling;
        if (mayStart)
            seedCopier.CountWait();
        var candidates = new List<byte>();
        foreach (byte peer in table.Open.Keys)
        {
            var missing = members.KnownOf(peer).Except(batch.State.Known);
            bool isLasting = _missing.TryGetValue(peer, out var before) && !before.Intersect(missing).IsEmpty;
            _missing[peer] = missing;
            bool hasSeed = NeedsSeed && members.HasRun(peer) && IsSafeSource(peer) && seedCopier.MayTakeFrom(members.KnownOf(peer));
            if (((run.HasBegun && isLasting) || hasSeed) && mayAsk(peer))
                candidates.Add(peer);
        }
        if (mayStart && candidates.Count > 0)
            Start(batch, candidates.MinBy(peer => (peer <= _lastAsked, peer)));
    }

    /// <summary>
    /// Returns the pull for which a part is the next one, and counts the part as received; or null if there is no such pull.
    /// </summary>
    public PullProgress? Expect(byte peer, ulong pull, ulong stream, int number)
    {
        if (!_pulls.TryGetValue(peer, out var expecting))
            return null;
        if (!_before.ContainsKey(peer))
            _before.Add(peer, expecting.Clone());
        return expecting.Expects(pull, stream, number) ? expecting : null;
    }

    /// <summary>Records progress of the pull from a peer when a fragment of an incomplete message has arrived.</summary>
    public void OnProgress(byte peer)
    {
        if (_pulls.TryGetValue(peer, out var pull))
            pull.IdleTicks = 0;
    }

    /// <summary>
    /// Gives up a pull that its peer cannot answer, and returns it; or null if it is not in progress. This peer becomes a candidate again a
    /// tick later than peers that can answer.
    /// </summary>
    public PullProgress? OnDeclined(byte peer, ulong pull)
    {
        if (!_pulls.TryGetValue(peer, out var declined) || declined.Pull != pull)
            return null;
        Forget(peer);
        return declined;
    }

    /// <summary>Ends the pull from a peer.</summary>
    public void End(byte peer) => _pulls.Remove(peer);

    /// <summary>Ends all pulls.</summary>
    public void EndAll()
    {
        _pulls.Clear();
        _before.Clear();
    }

    /// <summary>Keeps the progress that the batch has made, because the batch is committed.</summary>
    public void OnCommitted() => _before.Clear();

    /// <summary>
    /// Undoes the progress of a batch that failed to commit. If nothing of the batch is stored, the pulls return to their state before it,
    /// and the same parts may be received again. Otherwise the pulls are ended, and what they brought is fetched again.
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

    /// <summary>Drops everything about a peer whose session is over.</summary>
    public void Forget(byte peer)
    {
        _pulls.Remove(peer);
        _before.Remove(peer);
        _missing.Remove(peer);
    }

    /// <summary>
    /// Returns true if a joining store may copy a peer's data. A peer that may be a stray is avoided if there is any other.
    /// </summary>
    bool IsSafeSource(byte peer) => !members.MayBeStray(table.Open[peer])
        || table.Open.All(session => session.Key == peer || !members.HasRun(session.Key) || members.MayBeStray(session.Value));
}
