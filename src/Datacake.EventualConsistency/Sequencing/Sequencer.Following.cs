using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing.Messages;

namespace Datacake.EventualConsistency.Sequencing;

// What a member does with the entries of the sequencer [S3, S6].
partial class Sequencer
{
    /// <summary>
    /// The time after which a follower drops entries even if that alone needs a flush. Until then, the drop waits for a batch that is flushed anyway.
    /// </summary>
    const long MaxRebaseDelay = 1_000;

    const int MaxDroppable = 256;

    // The index up to which entries may be dropped once the store knows what the token names, and the newest one. The first is kept until then: a store that is always a
    // little behind would never know the newest token.
    Droppable _droppable = Droppable.None, _newest = Droppable.None;
    long _droppableSince;
    (byte Node, long Session) _told;    // who has told these
    BaseNotice? _awaited;               // the base to take over once the store knows what its token names; kept for the same reason

    /// <summary>Takes note of the sequencer of an epoch. Returns false if it is an old one.</summary>
    bool Hear(ReplicaBatch batch, byte peer, SequencerStatus status)
    {
        if (status.Founding != Kept.Founding)
        {
            if (!MustFollow(status.Founding))
            {
                Send(batch, peer, AppendReply(isTaken: false, 0, 0));
                return false;
            }
            Abandon(batch, status.Founding);
        }
        if (status.Epoch < Kept.Epoch)
        {
            Send(batch, peer, AppendReply(isTaken: false, 0, 0));
            return false;
        }
        if (status.Epoch > Kept.Epoch || _role != SequencerRole.Follower)
            StepDown(batch, status.Epoch);
        (_sequencer, _heardAt) = (peer, Now);
        var told = (peer, _replica.Sessions[peer].Id);
        if (told != _told)
            ForgetDroppable();
        _told = told;
        _pace = Math.Max(1, status.Heartbeat / (int)_settings.Heartbeat.TotalMilliseconds);
        Wait();
        if (status.Limit > Kept.Limit)
            Kept = Kept with { Limit = status.Limit };
        return true;
    }

    AppendReply AppendReply(bool isTaken, ulong match, ulong round) => new(Kept.Epoch, isTaken, match, round, Kept.Limit, Willingness, Kept.Life, Kept.Founding);

    void OnAppend(ReplicaBatch batch, byte peer, AppendRequest request)
    {
        if (!Hear(batch, peer, request.Status))
            return;
        ulong previous = request.Previous, last = previous + (ulong)request.Entries.Count;
        _noVoteAt = Math.Max(_noVoteAt, request.NoVoteAt);
        bool isTaken = previous < Kept.Base || (previous <= _log.Last && _log.EpochAt(previous) == request.PreviousEpoch);
        ulong match = Math.Min(_log.Last, previous == 0 ? 0 : previous - 1);
        if (isTaken)
        {
            for (int i = 0; i < request.Entries.Count; i++)
            {
                ulong index = previous + 1 + (ulong)i;
                if (index <= Kept.Base)
                    continue;
                if (index <= _log.Last && _log[index].Epoch != request.Entries[i].Epoch)
                    _log.RemoveFrom(index);
                if (index > _log.Last)
                    _log.Append(request.Entries[i]);
            }
            match = Math.Max(last, Kept.Base);
            NoteDroppable(Math.Min(request.Status.Applied, match), request.Status.Token);
        }
        Send(batch, peer, AppendReply(isTaken, match, request.Status.Round));
    }

    /// <summary>Takes over a base, once the store knows what the token names. Until then, anti-entropy brings it.</summary>
    void OnBase(ReplicaBatch batch, byte peer, BaseNotice notice)
    {
        if (!Hear(batch, peer, notice.Status))
            return;
        if (notice.Base > Kept.Base)
        {
            if (!batch.State.Known.Covers(notice.Status.Token))
            {
                _awaited ??= notice;
                Send(batch, peer, AppendReply(isTaken: false, _log.Last, notice.Status.Round));
                return;
            }
            TakeBase(notice);
        }
        Send(batch, peer, AppendReply(isTaken: true, Kept.Base, notice.Status.Round));
    }

    void TakeBase(BaseNotice notice)
    {
        if (notice.Base <= _log.Last && _log.EpochAt(notice.Base) == notice.BaseEpoch)
            _log.DropUpTo(notice.Base, notice.Status.Token);
        else
            _log.TakeOver(notice.Base, notice.BaseEpoch, notice.Voters, notice.Status.Token);
    }

    /// <summary>Takes over the base that was waited for, if the store knows by now what its token names, and tells the sequencer.</summary>
    void TakeAwaitedBase(ReplicaBatch batch)
    {
        if (_awaited is not { } notice)
            return;
        if (notice.Base <= Kept.Base)
        {
            _awaited = null;
        }
        else if (batch.State.Known.Covers(notice.Status.Token))
        {
            _awaited = null;
            TakeBase(notice);
            if (_sequencer is { } sequencer)
                Send(batch, sequencer, AppendReply(isTaken: true, Kept.Base, notice.Status.Round));
        }
    }

    bool HasDroppable => MayDrop(_droppable);

    bool MayDrop(Droppable droppable) => droppable.Index > Kept.Base && droppable.Index <= _log.Last;

    void NoteDroppable(ulong applied, VersionVector token)
    {
        if (applied <= Kept.Base || applied <= _newest.Index)
            return;
        _newest = new Droppable(applied, token);
        if (!HasDroppable)
            (_droppable, _droppableSince) = (_newest, Now);
    }

    /// <summary>Drops the entries whose effects the store has. A base that survives has these effects with it, since they are committed before it, or with it.</summary>
    void RebaseLater(ReplicaBatch batch)
    {
        // The first may have been dropped with a base that was taken over.
        if (!HasDroppable && MayDrop(_newest))
            (_droppable, _droppableSince) = (_newest, Now);
        if (!HasDroppable)
            return;
        bool isDue = !ReferenceEquals(_log.State, _log.Stored) || _log.StoredLast != _log.Last || Now - _droppableSince >= MaxRebaseDelay
            || _newest.Index - Kept.Base > MaxDroppable;
        if (!isDue)
            return;
        var known = batch.State.Known;
        if (MayDrop(_newest) && known.Covers(_newest.Token))
        {
            _log.DropUpTo(_newest.Index, _newest.Token);
        }
        else if (known.Covers(_droppable.Token))
        {
            _log.DropUpTo(_droppable.Index, _droppable.Token);
            (_droppable, _droppableSince) = (_newest, Now);
        }
    }

    /// <summary>
    /// Forgets what a sequencer has said in an earlier session: its stamps may be lost. Then they are waited for in vain, or count as known although nobody has their effects [S6].
    /// </summary>
    void ForgetDroppable()
    {
        _droppable = _newest = Droppable.None;
        _awaited = null;
    }

    /// <summary>Entries that may be dropped.</summary>
    /// <param name="Index">The index of the last one.</param>
    /// <param name="Token">The stamps that a store must know to have the effects of all entries up to that one.</param>
    readonly record struct Droppable(ulong Index, VersionVector Token)
    {
        public static Droppable None { get; } = new(0, VersionVector.Empty);
    }
}
