namespace Datacake.EventualConsistency.Sequencing;

// Changes of the voters [S9].
partial class Sequencer
{
    /// <summary>
    /// Adds or removes one voter, if the members call for it: removes a retired store, or adds the member that comes first, over data centers in turn.
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
        if (voters.Count >= _settings.MaxVoters)
            return;
        var centers = voters.Select(CenterOf).CountBy(static center => center).ToDictionary();
        var candidates = from member in identity.Members
                         let store = VoterOf(member.Value.StoreId)
                         where member.Value.HasJoined && voters.All(voter => voter.Store != store) && MayVote(store) && IsCaughtUp(store)
                         orderby centers.GetValueOrDefault(member.Value.DataCenter), member.Key
                         select store;
        if (candidates.FirstOrDefault() is var added and not 0)
        {
            var voter = new Voter(added, _progress.TryGetValue(added, out var progress) ? progress.Life : 0);
            _settings.OnVoterAdded?.Invoke(voter, _log.LastVoters, _decided);
            Append(SequenceEntry.OfVoters(Kept.Epoch, [.. voters, voter]));
        }

        bool MayVote(ulong store) => _progress.TryGetValue(store, out var progress) && progress.MayVote;

        string CenterOf(Voter voter) => identity.Members.Values.Where(member => VoterOf(member.StoreId) == voter.Store).Select(static member => member.DataCenter).FirstOrDefault("");
    }
}
