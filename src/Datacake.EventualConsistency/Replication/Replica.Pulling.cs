using System.Runtime.InteropServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

// Anti-entropy: fetching what is lacking [R8, R9].
sealed partial class Replica
{
    /// <summary>After so many ticks without a part, a pull counts as lost.</summary>
    const int MaxIdleTicks = 20;

    readonly Dictionary<byte, PullProgress> _pulls = [];

    // What each peer had more than this replica, as of the last tick. What is on its way over another link is mostly gone a tick later.
    readonly Dictionary<byte, VersionVector> _missing = [];

    ulong _counter;
    byte _lastAsked;                                    // peers take turns, for one of them may decline again and again

    /// <summary>Whether a pull is under way.</summary>
    public bool IsPulling => _pulls.Count > 0;

    /// <summary>Whether a pull can be started: there is one at a time, and what lies aside of an earlier one has to be gone.</summary>
    public bool CanPull => !IsPulling && !_mayHavePartAside;

    /// <summary>Asks a peer, in its session, for everything that this replica lacks.</summary>
    /// <param name="batch">Where to put the request.</param>
    /// <param name="peer">The peer.</param>
    /// <param name="isFull">True for all that the peer has, to be merged where the two differ though they know the same [R15].</param>
    public void StartPull(ReplicaBatch batch, byte peer, bool isFull = false)
    {
        _pulls[peer] = new PullProgress(++_counter, isFull);
        _lastAsked = peer;
        _seedTaker.OnAsked();
        var state = batch.State;
        var request = new PullRequest(_counter, state.Known, state.Truncated, !IsJoined, IsJoined ? null : _seedTaker.Position, isFull);
        batch.Outbox.Add(new Outgoing(peer, Sessions[peer].Id, request));
    }

    /// <summary>Starts a pull from a peer with whom a session has just been opened, if it has something that this replica lacks.</summary>
    public void PullFromNewPeer(ReplicaBatch batch, byte peer, Hello hello)
    {
        bool hasMore = IsJoined ? !batch.State.Known.Covers(hello.Known) : NeedsSeed && _seedTaker.CanGoOnWith(hello.Known) && IsSafeSource(peer);
        if (CanPull && !hello.Run.IsNone && hasMore)
            StartPull(batch, peer);
    }

    /// <summary>Applies a part of the answer to a pull, together with what was staged, if the parts so far are a clean cut.</summary>
    /// <exception cref="InvalidDataException">The part is not one that the peer can have made.</exception>
    /// <exception cref="ClockDriftException">It has a stamp that is too far ahead.</exception>
    public async ValueTask OnChunkAsync(ReplicaBatch batch, byte peer, Chunk chunk)
    {
        if (!_pulls.TryGetValue(peer, out var pull) || !pull.Expects(chunk.Pull, chunk.Stream, chunk.Number))
            return;
        if (!chunk.Source.Covers(batch.State.Truncated))
        {
            _pulls.Remove(peer);                                                // more was purged meanwhile: start again
            return;
        }
        CheckParts(peer, chunk.Source, chunk.Records, chunk.Documents);
        if (!chunk.Source.Covers(chunk.Claims))
            throw new InvalidDataException($"Node {peer} claims more than it knows.");
        _clock.Observe(chunk.Source.Top);

        pull.Records.AddRange(chunk.Records);
        pull.Documents.AddRange(chunk.Documents);
        var claimed = batch.State.Known.Union(chunk.Claims);
        if (chunk.IsLast)
            _pulls.Remove(peer);
        // Clean: no staged document shows an effect that is not claimed with it.
        if (!pull.Documents.TrueForAll(staged => staged.Document.IsWithin(claimed)))
            return;

        await ApplyAsync(batch, pull.Records, pull.Documents, chunk.Claims).ConfigureAwait(false);
        batch.Claim(chunk.Claims);
        batch.Note(chunk.Runs);
        batch.HasPulled = true;
        if (batch.HasReplaced)
            await WriteAgainAsync(batch).ConfigureAwait(false);
        pull.Records.Clear();
        pull.Documents.Clear();
    }

    /// <summary>Takes note that a part of the answer to the pull from a peer has come, though the rest of a message is missing.</summary>
    public void OnPullProgress(byte peer)
    {
        if (_pulls.TryGetValue(peer, out var pull))
            pull.IdleTicks = 0;
    }

    /// <summary>Gives up a pull that the peer cannot answer. What is missing is asked for again a tick later than from a peer that can.</summary>
    void OnPullDeclined(byte peer, ulong pull)
    {
        if (_pulls.TryGetValue(peer, out var declined) && declined.Pull == pull)
        {
            _pulls.Remove(peer);
            _missing.Remove(peer);
        }
    }

    /// <summary>Finds a peer that has lacked nothing for a while that this replica lacks, and pulls from it; where several do, from one after the other.</summary>
    void TickPulls(ReplicaBatch batch)
    {
        foreach (var (peer, pull) in _pulls.ToArray())
        {
            if (++pull.IdleTicks > MaxIdleTicks)
                _pulls.Remove(peer);
        }
        if (CanPull)
            _seedTaker.CountWait();
        var candidates = new List<byte>();
        foreach (byte peer in Sessions.Keys)
        {
            var missing = KnownOf(peer).Except(batch.State.Known);
            bool isLasting = _missing.TryGetValue(peer, out var before) && !before.Intersect(missing).IsEmpty;
            _missing[peer] = missing;
            bool hasSeed = NeedsSeed && HasRun(peer) && IsSafeSource(peer) && _seedTaker.MayTakeFrom(KnownOf(peer));
            if ((IsJoined && isLasting) || hasSeed)
                candidates.Add(peer);
        }
        if (CanPull && candidates.Count > 0)
            StartPull(batch, candidates.OrderBy(peer => peer <= _lastAsked).ThenBy(peer => peer).First());
    }

    /// <summary>Whether a joining store may take its first data from a peer: it avoids what may be a stray, if there is another.</summary>
    bool IsSafeSource(byte peer) => !MayBeStray(Sessions[peer])
        || Sessions.All(session => session.Key == peer || !HasRun(session.Key) || MayBeStray(session.Value));

    bool MayBeStray(Session session) => session.Ancestors.Any(Identity.Retired.Contains);

    async ValueTask ApplyAsync(ReplicaBatch batch, List<TransactionNames> records, List<NamedDocument> documents, VersionVector claims)
    {
        var truncated = batch.State.Truncated;
        var keys = documents.ConvertAll(document => KeyOf(batch, document.Name));
        await batch.PrefetchAsync(keys).ConfigureAwait(false);
        for (int i = 0; i < keys.Count; i++)
        {
            var (key, document) = (keys[i], documents[i].Document);
            batch.NoteReplaced(key, await batch.ReadAsync(key).ConfigureAwait(false), document);
            await batch.MergeAsync(key, document, truncated).ConfigureAwait(false);
        }
        AddLog(batch, records, claims);
    }

    /// <summary>
    /// Adds the records of a clean cut to the log. Transactions of one node that lie in one interval of the claims follow each other with none between them, since
    /// an interval has everything that this replica lacked when it asked. So they share entries of the storage, as they do where they were written.
    /// </summary>
    void AddLog(ReplicaBatch batch, List<TransactionNames> records, VersionVector claims)
    {
        records.Sort(static (a, b) => a.Stamp.Node != b.Stamp.Node ? a.Stamp.Node - b.Stamp.Node : a.Stamp.CompareTo(b.Stamp));
        var previous = HlcTimestamp.None;
        foreach (var (stamp, names) in records)
        {
            // What has come meanwhile by another way is in the log.
            if (batch.Truncated.Contains(stamp) || batch.Knows(stamp))
            {
                previous = HlcTimestamp.None;
                continue;
            }
            _keys.Clear();
            bool mayPurge = false;
            foreach (var name in names)
            {
                var key = KeyOf(batch, name);
                _keys.Add(key);
                mayPurge |= batch.FindRead(key) is not { } document || Delta.MayPurgeOf(document);
            }
            batch.AddLog(IsInOneInterval(claims[stamp.Node], previous, stamp) ? previous : HlcTimestamp.None, stamp, CollectionsMarshal.AsSpan(_keys), mayPurge);
            previous = stamp;
        }
    }

    static bool IsInOneInterval(ReadOnlySpan<StampInterval> intervals, HlcTimestamp low, HlcTimestamp high)
    {
        foreach (var interval in intervals)
        {
            if (interval.Contains(high))
                return low.Node == high.Node && interval.Contains(low);
        }
        return false;
    }

    static void CheckParts(byte peer, VersionVector known, IReadOnlyList<TransactionNames> records, IReadOnlyList<NamedDocument> documents)
    {
        foreach (var (stamp, _) in records)
        {
            if (!known.Contains(stamp))
                throw new InvalidDataException($"Node {peer} sent a log record of {stamp}, which it says it does not know.");
        }
        foreach (var (name, document) in documents)
        {
            if (!document.IsWithin(known))
                throw new InvalidDataException($"Node {peer} sent a document of '{name.Keyspace}' with effects that it says it does not know.");
            Assertion.Find(document);
        }
    }
}
