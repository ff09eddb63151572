namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The guard that holds back a full reconcile which would remove many documents, until a second member's data would remove the same, or an
/// operator allows it. A faulty member can cause such a reconcile with a single message that claims to know everything and contains no
/// documents [R19].
/// </summary>
/// <param name="maxRemoved">The maximum number of documents that one reconcile removes on the word of one member.</param>
sealed class RemovalGuard(int maxRemoved)
{
    /// <summary>
    /// The number of ticks for which a member is not asked again after its reconcile was held back: its answer would be all of its data
    /// again.
    /// </summary>
    const int TicksBetweenVotes = 60;

    readonly Dictionary<byte, HashSet<ulong>> _votes = [];      // the documents that each member's data would remove
    readonly Dictionary<byte, int> _ticks = [];
    bool _isAllowed;

    /// <summary>Gets the reconcile that is held back, or null if there is none. Any thread may read this.</summary>
    public HeldRemoval? Held { get; private set; }

    /// <summary>Returns true if a reconcile may proceed. Otherwise it is held back from now on.</summary>
    /// <param name="peer">The member whose data is reconciled.</param>
    /// <param name="removed">The hashes of the keys of documents that exist here and would be removed.</param>
    public bool Allows(byte peer, HashSet<ulong> removed)
    {
        if (_isAllowed || removed.Count <= maxRemoved || _votes.Any(vote => vote.Key != peer && removed.Count(key => !vote.Value.Contains(key)) <= maxRemoved))
        {
            Reset();
            return true;
        }
        _votes[peer] = removed;
        _ticks[peer] = TicksBetweenVotes;
        Held = new HeldRemoval(peer, removed.Count);
        return false;
    }

    /// <summary>Allows the held-back reconcile once. The member is asked for its data again.</summary>
    public void Allow()
    {
        if (Held is null)
            return;
        _isAllowed = true;
        _ticks.Clear();
    }

    /// <summary>Returns true if a member may be asked for its data.</summary>
    public bool MayAsk(byte peer) => !_ticks.ContainsKey(peer);

    /// <summary>Counts a tick.</summary>
    public void Tick()
    {
        foreach (var (peer, ticks) in _ticks.ToArray())
        {
            if (ticks > 1)
                _ticks[peer] = ticks - 1;
            else
                _ticks.Remove(peer);
        }
    }

    /// <summary>
    /// Releases the reconcile with a member that has answered with a difference: nothing has to be reconciled with it any longer.
    /// </summary>
    public void OnDifference(byte peer)
    {
        if (Held?.NodeId == peer)
            Reset();
    }

    void Reset()
    {
        _votes.Clear();
        _ticks.Clear();
        _isAllowed = false;
        Held = null;
    }
}
