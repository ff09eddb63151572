namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// What a replica does whose store may have lost documents without a trace [R18]: before it counts again and answers pulls, it merges a full snapshot of each
/// member in session, once, and of at least one if there are others.
/// </summary>
/// <remarks>
/// The known set says that the documents are here. Whoever pulled from the replica meanwhile would take over the claim without them.
/// </remarks>
sealed class LostDocuments
{
    const int TicksUntilAskedAgain = 20, TicksUntilPeerKnowsLess = 2;

    readonly Dictionary<byte, int> _waiting = [];       // members whose snapshots are to be merged, with the ticks until they are asked

    bool _needsOne;

    /// <summary>Gets how often a loss was suspected.</summary>
    public int Suspicions { get; private set; }

    /// <summary>Returns true if nothing is to be merged any more.</summary>
    /// <param name="hasOthers">True if there are other members that are waited for.</param>
    public bool AreBack(bool hasOthers) => _waiting.Count == 0 && !(_needsOne && hasOthers);

    /// <summary>Merges a snapshot of each of these members, and at least of one.</summary>
    public void Suspect(IEnumerable<byte> inSession)
    {
        _needsOne = true;
        Suspicions++;
        foreach (byte member in inSession)
            _waiting[member] = 0;
    }

    /// <summary>Merges a snapshot of a member, too, with whom a session has opened.</summary>
    public void OnOpened(byte member)
    {
        if (!AreBack(hasOthers: true))
            _waiting[member] = 0;
    }

    /// <summary>Counts a tick; returns the members that are to be asked now.</summary>
    public IReadOnlyList<byte> Tick()
    {
        byte[] due = [.. _waiting.Where(member => member.Value == 0).Select(member => member.Key)];
        foreach (byte member in _waiting.Keys.Except(due).ToArray())
            _waiting[member]--;
        return due;
    }

    /// <summary>Takes note that a member was asked, which is repeated if nothing comes.</summary>
    public void OnAsked(byte member) => _waiting[member] = TicksUntilAskedAgain;

    /// <summary>Takes note that a snapshot was merged: all of it, or all but what this replica does not know yet, which then comes first.</summary>
    public void OnMerged(byte member, bool isAll)
    {
        if (isAll)
            OnDeclined(member);
        else if (_waiting.ContainsKey(member))
            _waiting[member] = TicksUntilPeerKnowsLess;
    }

    /// <summary>Waits no longer for a member that cannot answer: it may wait for this replica in the same way.</summary>
    public void OnDeclined(byte member)
    {
        _waiting.Remove(member);
        _needsOne = false;
    }

    /// <summary>Waits no longer for a member with whom the session is over.</summary>
    public void OnEnded(byte member) => _waiting.Remove(member);
}
