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
        if (voters.FirstOrDefault(store => identity.Retired.Contains(store)) is var retired and not 0)
        {
            Append(SequenceEntry.OfVoters(Kept.Epoch, voters.Where(store => store != retired)));
            return;
        }
        if (voters.Count >= _settings.MaxVoters)
            return;
        var centers = voters.Select(CenterOf).CountBy(static center => center).ToDictionary();
        var candidates = from member in identity.Members
                         let store = member.Value.StoreId
                         where member.Value.HasJoined && !voters.Contains(store) && MayVote(store) && IsCaughtUp(store)
                         orderby centers.GetValueOrDefault(member.Value.DataCenter), member.Key
                         select store;
        if (candidates.FirstOrDefault() is var added and not 0)
            Append(SequenceEntry.OfVoters(Kept.Epoch, [.. voters, added]));

        bool MayVote(ulong store) => _progress.TryGetValue(store, out var progress) && progress.MayVote;

        string CenterOf(ulong store) => identity.Members.Values.Where(member => member.StoreId == store).Select(static member => member.DataCenter).FirstOrDefault("");
    }
}
