using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing.Messages;

namespace Datacake.EventualConsistency.Sequencing;

// Elections [S2].
partial class Sequencer
{
    /// <summary>The number of a request to whose reply nobody listens. Those of callers begin at 1.</summary>
    const ulong NoAttempt = 0;

    readonly HashSet<Voter> _votes = [];
    HlcTimestamp _limitFloor;           // the greatest limit of those who voted

    /// <summary>
    /// Asks whether this store would be voted for. It does not begin an epoch before a majority says so: one that is cut off, or is no longer a voter,
    /// must not depose a sequencer by it.
    /// </summary>
    void Stand(ReplicaBatch batch)
    {
        _pace = 1;
        Wait();
        if (!HasRoom)
            _deadline = Now + ElectionTime;
        if (!MayStand || !HasRoom)
            return;
        (_role, _sequencer) = (SequencerRole.Asking, null);
        _votes.Clear();
        _votes.Add(Self);
        AskForVotes(batch, Kept.Epoch + 1);
    }

    void AskForVotes(ReplicaBatch batch, ulong epoch)
    {
        Wait();
        var request = new VoteRequest(epoch, _role == SequencerRole.Asking, _log.Last, _log.LastEpoch, Kept.Life, Kept.Founding);
        foreach (var (node, session) in _replica.Sessions)
        {
            if (_log.Voters.Any(voter => voter.Store == VoterOf(session.StoreId)))
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
            Kept = Kept with { Epoch = Kept.Epoch + 1, Vote = Self.Store };
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
        if (request.Founding != Kept.Founding)
        {
            // One of an earlier founding has to learn of this one. Of a later one, its sequencer tells.
            if (Kept.Founding.Outranks(request.Founding))
                Send(batch, peer, VoteReply(Kept.Epoch, request.IsProbe, isGranted: false));
            return;
        }
        // Whoever asks may have found that an idle sequencer does not wake. This store asks for a sign of life, too, and votes if there is none.
        if (request.IsProbe && _pace > 1 && _sequencer is { } idle)
        {
            ExpectSignOfLife();
            _heardAt = Now;
            Send(batch, idle, new BarrierRequest(NoAttempt));
        }
        // A sequencer that is heard of stays.
        if (_role == SequencerRole.Sequencer || (_heardAt is { } heard && Now - heard < ElectionTime))
            return;
        if (request.Epoch > Kept.Epoch && !request.IsProbe)
            StepDown(batch, request.Epoch);
        bool isNotOlder = (request.LastEpoch, request.Last).CompareTo((_log.LastEpoch, _log.Last)) >= 0;
        if (request.IsProbe)
        {
            bool would = isNotOlder && request.Epoch > Kept.Epoch;
            Send(batch, peer, VoteReply(would ? request.Epoch : Kept.Epoch, isProbe: true, would));
            return;
        }
        ulong store = VoterOf(_replica.Sessions[peer].StoreId);
        bool isGranted = isNotOlder && request.Epoch == Kept.Epoch && MayVoteFor(store);
        if (isGranted)
        {
            Kept = Kept with { Vote = store };
            Wait();
        }
        Send(batch, peer, VoteReply(Kept.Epoch, isProbe: false, isGranted));
    }

    VoteReply VoteReply(ulong epoch, bool isProbe, bool isGranted) => new(epoch, isProbe, isGranted, Kept.Limit, Kept.Life, Kept.Founding);

    void OnVoteReply(ReplicaBatch batch, ulong store, VoteReply reply)
    {
        if (!IsOfThisFounding(batch, reply.Founding))
            return;
        if (reply is { IsProbe: true, IsGranted: true })
        {
            if (_role == SequencerRole.Asking && reply.Epoch == Kept.Epoch + 1)
            {
                _votes.Add(new Voter(store, reply.Life));
                CountVotes(batch);
            }
        }
        else if (reply.Epoch > Kept.Epoch)
        {
            StepDown(batch, reply.Epoch);
        }
        else if (_role == SequencerRole.Candidate && reply.Epoch == Kept.Epoch && reply.IsGranted)
        {
            _votes.Add(new Voter(store, reply.Life));
            _limitFloor = HlcTimestamp.Max(_limitFloor, reply.Limit);
            CountVotes(batch);
        }
    }

    bool IsMajority(IReadOnlySet<Voter> voters) => IsEnough(_log.Voters.Count(voters.Contains));
}
