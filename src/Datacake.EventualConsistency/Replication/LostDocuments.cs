using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// Keeps track of the members from which a replica gets back documents that its store may have lost without a trace [R18]: before it counts again and answers
/// pulls, it merges a full snapshot of each member in session, and waits for others until those that it has merged know all that it knows itself.
/// </summary>
/// <remarks>
/// The known set says that the documents are here. Whoever pulled from the replica meanwhile would take over the claim without them. It does not wait for ever,
/// however: others may be gone for good, and it may have writes of its own that nobody knows yet, and which they can pull only after this.
/// </remarks>
/// <param name="self">The node whose replica it is.</param>
sealed class LostDocuments(byte self)
{
    const int TicksUntilAskedAgain = 20, TicksUntilPeerKnowsLess = 2, MaxDeclines = 3, MaxTicksOfChoice = 40, MaxTicks = 200;

    readonly Dictionary<byte, int> _waiting = [];       // members whose snapshots are to be merged, with the ticks until they are asked
    readonly Dictionary<byte, int> _declines = [];
    readonly HashSet<byte> _over = [];                  // members whose snapshots are merged, or that have declined
    VersionVector? _claimed;                            // what is known here, and by none whose snapshot is merged; null if no loss is suspected
    int _ticks;

    /// <summary>Gets the number of times that a loss was suspected.</summary>
    public int Suspicions { get; private set; }

    /// <summary>Returns true if nothing is to be merged any more.</summary>
    /// <param name="others">The other members, in session or not.</param>
    public bool AreBack(IEnumerable<byte> others) => _ticks > 2 * MaxTicks
        || (_waiting.Count == 0 && (_claimed is null || _claimed.IsEmpty || _ticks > MaxTicks || others.All(_over.Contains)));

    /// <summary>
    /// True while nothing is taken from members that do not know enough: all that this replica knows and any member in session does. One that knows less may show what
    /// another has removed since, and the removal be purged before a snapshot of that one comes.
    /// </summary>
    public bool IsChoosy => (_claimed is not null || _waiting.Count > 0) && _ticks <= MaxTicksOfChoice;

    /// <summary>Merges a snapshot of each of these members, and of more of them if these do not know all that is known here.</summary>
    public void Suspect(VersionVector known, IEnumerable<byte> inSession)
    {
        (_claimed, _ticks) = (known, 0);
        Suspicions++;
        _over.Clear();
        _declines.Clear();
        foreach (byte member in inSession)
            _waiting[member] = 0;
    }

    /// <summary>Merges a snapshot of a member, too, with whom a session has opened, or that has joined within one.</summary>
    public void OnOpened(byte member)
    {
        if (_claimed is null)
            return;
        _over.Remove(member);
        _waiting[member] = 0;
    }

    /// <summary>Counts a tick; returns the members that are to be asked now.</summary>
    /// <param name="others">The other members, in session or not.</param>
    public IReadOnlyList<byte> Tick(IEnumerable<byte> others)
    {
        if (AreBack(others))
        {
            _claimed = null;
            _waiting.Clear();
        }
        _ticks++;
        byte[] due = [.. _waiting.Where(member => member.Value == 0).Select(member => member.Key)];
        foreach (byte member in _waiting.Keys.Except(due).ToArray())
            _waiting[member]--;
        return due;
    }

    /// <summary>Takes note that a member was asked, which is repeated if nothing comes.</summary>
    public void OnAsked(byte member) => _waiting[member] = TicksUntilAskedAgain;

    /// <summary>Takes note that a snapshot was merged: all of it, or all but what this replica does not know yet, which then comes first.</summary>
    /// <param name="member">The member.</param>
    /// <param name="known">What it knew.</param>
    /// <param name="isAll">True if all of it was merged.</param>
    public void OnMerged(byte member, VersionVector known, bool isAll)
    {
        if (isAll)
        {
            End(member);
            _claimed = _claimed?.Except(known);
        }
        else if (_waiting.ContainsKey(member))
        {
            OnKnowsLess(member);
        }
    }

    /// <summary>Takes note that a member does not know enough yet, and looks again soon.</summary>
    public void OnKnowsLess(byte member) => _waiting[member] = TicksUntilPeerKnowsLess;

    /// <summary>
    /// Asks a member that cannot answer some times more, and then waits no longer for it: it may wait for this replica in the same way. Of the two, the one with the higher node id
    /// gives up first, and can then answer the other.
    /// </summary>
    public void OnDeclined(byte member)
    {
        int declines = _declines[member] = _declines.GetValueOrDefault(member) + 1;
        if (declines >= (self > member ? MaxDeclines : 2 * MaxDeclines))
            End(member);
    }

    /// <summary>Waits no longer for a member with whom the session is over.</summary>
    public void OnEnded(byte member) => _waiting.Remove(member);

    void End(byte member)
    {
        _waiting.Remove(member);
        _over.Add(member);
    }
}
