using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing.Messages;

namespace Datacake.EventualConsistency.Sequencing;

// What the sequencer sends, and what is decided by the answers [S3, S5].
partial class Sequencer
{
    ulong _decided;
    ulong _round;
    long _beatAt;
    long _wantedAt;                     // when a request last came
    long _wokenAt;                      // when this store last ceased to be an idle sequencer
    long _begunAt;                      // when this store became the sequencer

    /// <summary>Begins the epoch that this store was elected for, with an empty entry.</summary>
    void BeginEpoch()
    {
        _role = SequencerRole.Sequencer;
        (_sequencer, _heardAt, _isReady) = (null, null, false);
        _replica.AdvanceClock(_limitFloor);
        _progress.Clear();
        _decided = Kept.Base;
        _round = 0;
        _begunAt = _wantedAt = Now;
        _serialRun = HlcTimestamp.None;
        BeginRequests();
        Append(SequenceEntry.Empty(Kept.Epoch));
        _beatAt = Now;
    }

    void TickSequencer(ReplicaBatch batch)
    {
        bool hasRemovedItself = !IsVoter(Self) && _log.LastVoters <= _decided && IsReady;      // [S9]
        if (!HasContact() || hasRemovedItself || !HasRoom)
            StepDown(batch, Kept.Epoch);
        else
            ChangeVoters();
    }

    /// <summary>Returns true if a majority has answered within two of the longest election times, or may still do so.</summary>
    bool HasContact()
    {
        long patience = 4 * ElectionTime;
        return IsEnough(_log.Voters.Count(voter => voter == Self || (!IsForgotten(voter) && Now - Math.Max(_progress.GetValueOrDefault(voter.Store)?.ContactAt ?? _begunAt, _wokenAt) < patience)));
    }

    void Append(SequenceEntry entry)
    {
        _log.Append(entry);
        RaiseLimit();
    }

    /// <summary>
    /// Asks for a limit that is a lease ahead, once less than half of the lease is left. It goes with the entries, so that a sequencer that has nothing to
    /// apply makes nobody write anything.
    /// </summary>
    void RaiseLimit()
    {
        var now = HlcTimestamp.Max(_replica.LastStamp, HlcTimestamp.AtEndOf(_settings.Time.GetUtcNow()));
        if (Ahead(now, _settings.Lease / 2) <= Kept.Limit)
            return;
        Kept = Kept with { Limit = HlcTimestamp.Max(Kept.Limit, Ahead(now, _settings.Lease)) };
    }

    static HlcTimestamp Ahead(HlcTimestamp stamp, TimeSpan time) => new(stamp.Packed + (ulong)(time.TotalSeconds * (1UL << 32)));

    /// <summary>Finds out what is decided, applies it, answers those who wait for it, and sends what the members lack.</summary>
    async ValueTask AdvanceAsync(ReplicaBatch batch)
    {
        ulong reached = Reached(static progress => progress.Match, IsOnlyVoter ? _log.Last : _log.StoredLast);
        if (reached > _decided && DecidesBy(reached))
            _decided = reached;
        var limit = Reached(static progress => progress.Limit, IsOnlyVoter ? Kept.Limit : _log.Stored.Limit);
        if (_decided > Kept.Base)
            await ApplyAsync(batch, limit).ConfigureAwait(false);
        if (_decided > Kept.Base)
            RaiseLimit();
        // One that wakes up says so at once, since its followers wait for long.
        bool isWoken = _pace != 1 && !IsIdle;
        _pace = IsIdle ? _settings.IdleFactor : 1;
        // While it was idle, nobody had to answer often.
        if (isWoken)
            _wokenAt = Now;
        bool isDue = isWoken || Now >= _beatAt || _barriers.Exists(barrier => barrier.Round > _round);
        if (isDue)
        {
            _round++;
            _beatAt = Now + Heartbeat;
        }
        foreach (var (node, session) in _replica.Sessions)
        {
            if (!session.Run.IsNone)
                Feed(batch, node, VoterOf(session.StoreId), isDue);
        }
        TellBarriers(batch, Reached(static progress => progress.Round, _round));
    }

    bool IsIdle => _decided == _log.Last && _barriers.Count == 0 && Now - _wantedAt >= _settings.IdleAfter.TotalMilliseconds;

    /// <summary>Returns the greatest value that a majority of the voters has reached.</summary>
    T Reached<T>(Func<MemberProgress, T> value, T own)
        where T : struct, IComparable<T>
    {
        T[] values = [.. _log.Voters.Select(voter => voter == Self ? own : ProgressOf(voter) is { } progress ? value(progress) : default).OrderDescending()];
        return values.Length == 0 ? default : values[Majority - 1];
    }

    void Feed(ReplicaBatch batch, byte node, ulong store, bool isHeartbeat)
    {
        if (!_progress.TryGetValue(store, out var progress))
            _progress.Add(store, progress = new MemberProgress { Next = _log.Last + 1 });
        bool isWaiting = progress.SentAt is { } sent && Now - sent < Heartbeat;
        // One that has not taken over the base that it was told of waits for stamps. It is told again with the heartbeats.
        bool isBehind = progress.Next <= Kept.Base;
        bool hasMore = isBehind ? progress.ToldBaseAt is not { } told || Now - told >= Heartbeat : progress.Next <= _log.Last;
        if (!isHeartbeat && (!hasMore || isWaiting))
            return;
        var status = new SequencerStatus(Kept.Epoch, Heartbeat, _round, _decided, Kept.Limit, Kept.Base, Kept.Token, Kept.Founding);
        // What follows the base is sent with it: by the time of the answer, it may be dropped, too.
        ulong next = Math.Max(progress.Next, Kept.Base + 1);
        if (isBehind)
        {
            Send(batch, node, new BaseNotice(status, Kept.Base, Kept.BaseEpoch, Kept.BaseVoters));
            (progress.ToldBaseAt, progress.SentAt) = (Now, Now);
            if (next > _log.Last)
                return;
        }
        var entries = new List<SequenceEntry>();
        int length = 0;
        for (ulong index = next; index <= _log.Last && (entries.Count == 0 || length + _log[index].Encoded.Length <= _settings.MaxMessageLength); index++)
        {
            entries.Add(_log[index]);
            length += _log[index].Encoded.Length;
        }
        if (entries.Count > 0)
            progress.SentAt = Now;
        // Entries are sent while this store flushes them itself, which only counts once it has. What the batch applies is not told before the commit, nor is an
        // epoch that is not stored.
        bool isEarly = !isBehind && Kept.Base == _log.Stored.Base && Kept.Epoch == _log.Stored.Epoch;
        Send(batch, node, new AppendRequest(status, next - 1, _log.EpochAt(next - 1), entries, NoVoteOf(store, progress)), isEarly);
    }

    void OnAppended(ReplicaBatch batch, ulong store, long session, AppendReply reply)
    {
        if (!IsOfThisFounding(batch, reply.Founding))
            return;
        if (reply.Epoch > Kept.Epoch)
        {
            StepDown(batch, reply.Epoch);
            return;
        }
        if (_role != SequencerRole.Sequencer || reply.Epoch != Kept.Epoch || !_progress.TryGetValue(store, out var progress))
            return;
        if (progress.Life != reply.Life)
            _progress[store] = progress = new MemberProgress { Life = reply.Life, Next = progress.Next };
        (progress.ContactAt, progress.SentAt) = (Now, null);
        // A process that has started again counts anew.
        if (progress.Session != session)
            (progress.Session, progress.Willingness) = (session, 0);
        progress.Willingness = Math.Max(progress.Willingness, reply.Willingness);
        if (!reply.IsTaken)
        {
            progress.Next = Math.Max(1, Math.Min(reply.Match + 1, progress.Next - 1));
            return;
        }
        progress.ToldBaseAt = null;
        progress.Match = Math.Max(progress.Match, Math.Min(reply.Match, _log.Last));
        progress.Next = progress.Match + 1;
        progress.Round = Math.Max(progress.Round, reply.Round);
        progress.Limit = HlcTimestamp.Max(progress.Limit, reply.Limit);
    }
}
