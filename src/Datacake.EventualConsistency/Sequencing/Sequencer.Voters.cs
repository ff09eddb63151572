using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing.Messages;

namespace Datacake.EventualConsistency.Sequencing;

// Changes of the voters [S9].
partial class Sequencer
{
    ulong _willingness;                 // even while this store may vote; grows with each change, because a message may be late
    ulong _noVoteAt;                    // the greatest willingness at which the sequencer of this epoch has said that this store is no voter

    /// <summary>
    /// Gets or sets whether this store gives up its vote, because it leaves its cluster: the sequencer removes it from the voters, if the others can decide without it. Until then, it votes, and
    /// may be elected.
    /// </summary>
    public bool GivesUpVote { get; set; }

    /// <summary>Gets a number that is even while this store may become a voter. It must not while it may yet be retired, because it has asked for that.</summary>
    ulong Willingness
    {
        get
        {
            bool mayVote = _settings.MayVote && !GivesUpVote && !_replica.IsLeaving;
            if (mayVote != (_willingness % 2 == 0))
                _willingness++;
            return _willingness;
        }
    }

    /// <summary>True if this store knows that it is no voter, and that the sequencer does not make it one: what it said of that has arrived, and its removal is decided.</summary>
    public bool HasNoVote => _role != SequencerRole.Sequencer && Willingness % 2 != 0 && _noVoteAt == Willingness;

    /// <summary>
    /// True if this store may be elected: it is a voter, or was one before a change that may not be decided. Then it may be the only one that has the change, so that the voters
    /// that it names cannot elect each other. It does not count itself.
    /// </summary>
    bool MayStand => IsVoter(Self) || (_noVoteAt == 0 && _log.PreviousVoters.Contains(Self));

    /// <summary>Returns the willingness at which a member has said that it must not vote, if it is no voter, and that is decided; otherwise 0.</summary>
    ulong NoVoteOf(ulong store, MemberProgress progress) =>
        progress.MustNotVote && _log.LastVoters <= _decided && _log.Voters.All(voter => voter.Store != store) ? progress.Willingness : 0;

    /// <summary>Wakes the sequencer, which may be this store, so that it learns whether this store may vote. An idle one asks rarely.</summary>
    public void TellVote(ReplicaBatch batch)
    {
        if (_role == SequencerRole.Sequencer)
            _wantedAt = Now;
        else if (_sequencer is { } sequencer)
            Send(batch, sequencer, new BarrierRequest(NoAttempt));
    }

    /// <summary>
    /// Adds or removes one voter, if the members call for it: removes a retired store, adds the member that comes first, over data centers in turn, or removes a store that must not vote any more.
    /// The next change waits until this one is decided, since two majorities of neighboring configurations meet, and those of others need not.
    /// </summary>
    void ChangeVoters()
    {
        if (!MayChangeVoters)
            return;
        var voters = _log.Voters;
        var identity = _replica.Identity;
        if (voters.FirstOrDefault(voter => identity.Retired.Contains(voter.Store) || IsForgotten(voter)) is { Store: not 0 } lost)
        {
            Append(SequenceEntry.OfVoters(Kept.Epoch, voters.Where(voter => voter != lost)));
            return;
        }
        // Another one is added first, so that no fewer can be lost meanwhile.
        var unwilling = voters.Where(MustNotVote).ToArray();
        if (voters.Count - unwilling.Length < _settings.MaxVoters && TryAddVoter())
            return;
        Voter[] rest = [.. voters.Where(voter => unwilling.Length > 0 && voter != unwilling[0])];
        if (CanDecide(rest))
            Append(SequenceEntry.OfVoters(Kept.Epoch, rest));
    }

    /// <summary>Returns true if a majority of some voters can be reached and has almost everything, so that nothing has to wait if no others decide.</summary>
    protected virtual bool CanDecide(IReadOnlyCollection<Voter> voters)
    {
        return 2 * voters.Count(voter => voter == Self || (!IsForgotten(voter) && IsPresent(voter.Store) && IsCaughtUp(voter.Store))) > voters.Count;

        // While this sequencer was idle, nobody had to answer.
        bool IsPresent(ulong store) => _replica.Sessions.Values.Any(session => VoterOf(session.StoreId) == store) && _progress.TryGetValue(store, out var progress) && progress.ContactAt >= _wokenAt;
    }

    /// <summary>Returns true if a voter has said that it must not vote.</summary>
    bool MustNotVote(Voter voter) => voter == Self ? Willingness % 2 != 0 : _progress.TryGetValue(voter.Store, out var progress) && progress.MustNotVote;

    bool TryAddVoter()
    {
        var voters = _log.Voters;
        var identity = _replica.Identity;
        var centers = voters.Select(CenterOf).CountBy(static center => center).ToDictionary();
        var candidates = from member in identity.Members
                         let store = VoterOf(member.Value.StoreId)
                         where member.Value.HasJoined && voters.All(voter => voter.Store != store) && MayVoteOf(store) && IsCaughtUp(store)
                         orderby centers.GetValueOrDefault(member.Value.DataCenter), member.Key
                         select store;
        if (candidates.FirstOrDefault() is not (var added and not 0))
            return false;
        var voter = new Voter(added, _progress.TryGetValue(added, out var progress) ? progress.Life : 0);
        _settings.OnVoterAdded?.Invoke(voter, _log.LastVoters, _decided);
        Append(SequenceEntry.OfVoters(Kept.Epoch, [.. voters, voter]));
        return true;

        bool MayVoteOf(ulong store) => _progress.TryGetValue(store, out var progress) && progress.MayVote;

        string CenterOf(Voter voter) => identity.Members.Values.Where(member => VoterOf(member.StoreId) == voter.Store).Select(static member => member.DataCenter).FirstOrDefault("");
    }
}
