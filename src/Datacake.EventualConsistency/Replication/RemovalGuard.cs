namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// Holds back a full reconcile that would remove many documents, which a faulty member can bring about with a single message that says that it knows all and
/// has nothing [R19]: until a second member says the same, or an operator allows it.
/// </summary>
/// <param name="maxRemoved">The limit of the documents that one reconcile removes on the word of one member.</param>
sealed class RemovalGuard(int maxRemoved)
{
    /// <summary>So many ticks nothing is asked of a member whose reconcile is held back: the answer would be all of its data again.</summary>
    const int TicksBetweenVotes = 60;

    readonly Dictionary<byte, HashSet<ulong>> _votes = [];      // what each member's data would remove
    readonly Dictionary<byte, int> _ticks = [];
    bool _isAllowed;

    /// <summary>Gets the reconcile that is held back, or null if none is. Any thread may read it.</summary>
    public HeldRemoval? Held { get; private set; }

    /// <summary>Returns true if a reconcile may be made; else it is held back from here on.</summary>
    /// <param name="peer">The member whose data are reconciled.</param>
    /// <param name="removed">The hashes of the documents that are shown here, and would not be any more.</param>
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

    /// <summary>Allows the reconcile that is held back, once: it is asked for again.</summary>
    public void Allow()
    {
        if (Held is null)
            return;
        _isAllowed = true;
        _ticks.Clear();
    }

    /// <summary>Returns true if a member may be asked for what it has.</summary>
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

    /// <summary>Takes note that a member has answered with a difference: nothing has to be reconciled with it any more.</summary>
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
