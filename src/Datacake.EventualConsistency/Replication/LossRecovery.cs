using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The recovery of documents that a store may have lost without a trace [R18]. Before the replica recounts keyspaces and answers pulls, it
/// merges a full snapshot of each member in session, and waits for further members until the merged ones together know everything that it
/// knows itself.
/// </summary>
/// <remarks>
/// The known set claims that the documents are here. A peer that pulled from the replica meanwhile would take over the claim without the
/// documents. The wait is bounded, however: members may be gone for good, and the replica may have writes of its own that no other member
/// knows yet, and that others can pull only afterwards.
/// </remarks>
/// <param name="self">The node that the replica belongs to.</param>
sealed class LossRecovery(byte self)
{
    const int TicksUntilAskedAgain = 20, TicksUntilPeerKnowsLess = 2, MaxDeclines = 3, MaxSelectiveTicks = 40, MaxTicks = 200;

    readonly Dictionary<byte, int> _waiting = [];       // members to ask for a snapshot, with the ticks until they are asked
    readonly Dictionary<byte, int> _declines = [];
    readonly HashSet<byte> _done = [];                  // members whose snapshots were merged, or that have declined
    VersionVector? _claimed;                            // known here, but not to the members merged so far; null if no loss is suspected
    int _ticks;

    /// <summary>Gets the number of times that a loss was suspected.</summary>
    public int Suspicions { get; private set; }

    /// <summary>Returns true if no further snapshot has to be merged.</summary>
    /// <param name="others">The other members, in session or not.</param>
    public bool AreBack(IEnumerable<byte> others) => _ticks > 2 * MaxTicks
        || (_waiting.Count == 0 && (_claimed is null || _claimed.IsEmpty || _ticks > MaxTicks || others.All(_done.Contains)));

    /// <summary>
    /// True while data is taken only from members that know everything that is known both to this replica and to any member in session. A
    /// member that knows less may show what another has since removed, and that removal may be purged before the other's snapshot arrives.
    /// </summary>
    public bool IsSelective => (_claimed is not null || _waiting.Count > 0) && _ticks <= MaxSelectiveTicks;

    /// <summary>
    /// Starts the recovery: a snapshot of each of these members is merged, and of further members if these do not know everything that is
    /// known here.
    /// </summary>
    public void Suspect(VersionVector known, IEnumerable<byte> inSession)
    {
        (_claimed, _ticks) = (known, 0);
        Suspicions++;
        _done.Clear();
        _declines.Clear();
        foreach (byte member in inSession)
            _waiting[member] = 0;
    }

    /// <summary>Adds a member to the recovery that has just opened a session, or has joined during one.</summary>
    public void OnOpened(byte member)
    {
        if (_claimed is null)
            return;
        _done.Remove(member);
        _waiting[member] = 0;
    }

    /// <summary>Counts a tick. Returns the members that must be asked now.</summary>
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

    /// <summary>Records that a member was asked. It is asked again if no answer arrives.</summary>
    public void OnAsked(byte member) => _waiting[member] = TicksUntilAskedAgain;

    /// <summary>
    /// Records that a snapshot was merged. If parts of it are not known to this replica yet, these must come first, and the member is asked
    /// again.
    /// </summary>
    /// <param name="member">The member.</param>
    /// <param name="known">The known set of the snapshot.</param>
    /// <param name="isAll">True if the whole snapshot was merged.</param>
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

    /// <summary>Records that a member does not know enough yet. It is considered again soon.</summary>
    public void OnKnowsLess(byte member) => _waiting[member] = TicksUntilPeerKnowsLess;

    /// <summary>
    /// Records that a member cannot answer. It is asked a few more times, and is then no longer waited for, because it may be waiting for
    /// this replica in the same way. Of the two, the one with the higher node id gives up first, and can then answer the other.
    /// </summary>
    public void OnDeclined(byte member)
    {
        int declines = _declines[member] = _declines.GetValueOrDefault(member) + 1;
        if (declines >= (self > member ? MaxDeclines : 2 * MaxDeclines))
            End(member);
    }

    /// <summary>Records that the session with a member is over, so that the member is no longer waited for.</summary>
    public void OnEnded(byte member) => _waiting.Remove(member);

    void End(byte member)
    {
        _waiting.Remove(member);
        _done.Add(member);
    }
}
