using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing.Messages;

namespace Datacake.EventualConsistency.Sequencing;

// Elections [S2].
partial class Sequencer
{
    readonly HashSet<ulong> _votes = [];
    HlcTimestamp _limitFloor;           // the greatest limit of those who voted

    /// <summary>
    /// Asks whether this store would be voted for. It does not begin an epoch before a majority says so: one that is cut off, or is no longer a voter,
    /// must not depose a sequencer by it.
    /// </summary>
    void Stand(ReplicaBatch batch)
    {
        _pace = 1;
        Wait();
        if (!IsVoter(Self))
            return;
        (_role, _sequencer) = (SequencerRole.Asking, 0);
        _votes.Clear();
        _votes.Add(Self);
        AskForVotes(batch, Kept.Epoch + 1);
    }

    void AskForVotes(ReplicaBatch batch, ulong epoch)
    {
        Wait();
        var request = new VoteRequest(epoch, _role == SequencerRole.Asking, _log.Last, _log.LastEpoch);
        foreach (var (node, session) in _replica.Sessions)
        {
            if (IsVoter(session.StoreId))
                Send(batch, node, request);
        }
        CountVotes(batch);
    }

    void CountVotes(ReplicaBatch batch)
    {
        if (!IsMajority(_votes))
            return;
        if (_role == SequencerRole.Asking)
        {
            Kept = Kept with { Epoch = Kept.Epoch + 1, Vote = Self };
            _role = SequencerRole.Candidate;
            _votes.Clear();
            _votes.Add(Self);
            _limitFloor = Kept.Limit;
            AskForVotes(batch, Kept.Epoch);
        }
        else if (_role == SequencerRole.Candidate)
        {
            BeginEpoch();
        }
    }

    void OnVoteRequest(ReplicaBatch batch, byte peer, VoteRequest request)
    {
        // A sequencer that is heard of stays.
        if (_role == SequencerRole.Sequencer || (_heardAt is { } heard && Now - heard < ElectionTime))
            return;
        if (request.Epoch > Kept.Epoch && !request.IsProbe)
            StepDown(batch, request.Epoch);
        bool isNotOlder = (request.LastEpoch, request.Last).CompareTo((_log.LastEpoch, _log.Last)) >= 0;
        if (request.IsProbe)
        {
            bool would = isNotOlder && request.Epoch > Kept.Epoch;
            Send(batch, peer, new VoteReply(would ? request.Epoch : Kept.Epoch, IsProbe: true, would, HlcTimestamp.None));
            return;
        }
        ulong store = _replica.Sessions[peer].StoreId;
        bool isGranted = isNotOlder && request.Epoch == Kept.Epoch && MayVoteFor(store);
        if (isGranted)
        {
            Kept = Kept with { Vote = store };
            Wait();
        }
        Send(batch, peer, new VoteReply(Kept.Epoch, IsProbe: false, isGranted, Kept.Limit));
    }

    void OnVoteReply(ReplicaBatch batch, ulong store, VoteReply reply)
    {
        if (reply is { IsProbe: true, IsGranted: true })
        {
            if (_role == SequencerRole.Asking && reply.Epoch == Kept.Epoch + 1)
            {
                _votes.Add(store);
                CountVotes(batch);
            }
        }
        else if (reply.Epoch > Kept.Epoch)
        {
            StepDown(batch, reply.Epoch);
        }
        else if (_role == SequencerRole.Candidate && reply.Epoch == Kept.Epoch && reply.IsGranted)
        {
            _votes.Add(store);
            _limitFloor = HlcTimestamp.Max(_limitFloor, reply.Limit);
            CountVotes(batch);
        }
    }

    bool IsMajority(IReadOnlySet<ulong> stores) => 2 * _log.Voters.Count(stores.Contains) > _log.Voters.Count;
}
