namespace Datacake.Node.Gossip;

/// <summary>
/// Tells which identities are earlier lives of a node that has started again, and how long these, and all others that are dead, are named
/// in digests and kept.
/// </summary>
/// <remarks>
/// A peer of another implementation takes an identity that a digest does not name for unknown to the sender, and sends its whole state first,
/// in every exchange. So an identity is named for as long as such a peer names it, with entries, in digests of its own: no digest of
/// this node is longer for it than theirs. Nodes of this implementation do not send the state of an earlier life, and without such peers it need
/// not be named at all. Therefore the bound: of each node, the <see cref="KeptOfEach"/> earlier lives that were heard of last are named and kept like
/// any dead node, and further ones only on behalf of other implementations.
/// </remarks>
sealed class EarlierLives(GossipSettings settings, ClusterState state, FailureDetector detector)
{
    /// <summary>Earlier lives of one node that are kept for as long as a dead node, however often it restarts.</summary>
    public const int KeptOfEach = 4;

    /// <summary>
    /// Further earlier lives are forgotten soon, and so are rumors, which garbage leaves behind. For as long, an identity that a peer of
    /// another implementation has named counts as held there.
    /// </summary>
    public static readonly TimeSpan ShortMemory = TimeSpan.FromMinutes(5);

    readonly HashSet<GossipId> _earlier = [];
    readonly HashSet<GossipId> _surplus = [];
    readonly Dictionary<GossipId, long> _heldElsewhere = [];

    /// <summary>True for an earlier life of a node. It stays one when the later life dies too.</summary>
    public bool Contains(GossipId id) => _earlier.Contains(id);

    /// <summary>Takes note of the digest of a peer that does not say who it is: of what it names with entries, it sends what this node lacks.</summary>
    public void NoteHeld(Digest digest)
    {
        foreach (var entry in digest.Entries)
            if (entry.MaxVersion > 0 && state.Knows(entry.Id))
                _heldElsewhere[entry.Id] = settings.TimeProvider.GetTimestamp();
    }

    /// <summary>Judges all identities anew, after the failure detector has.</summary>
    public void Update()
    {
        _surplus.Clear();
        foreach (var lives in state.Nodes.Select(node => node.Id).GroupBy(id => id.Name))
        {
            foreach (var id in lives)
            {
                if (!id.Equals(settings.Self) && lives.Any(other => HasReplaced(other, id)))
                    _earlier.Add(id);
                else if (detector.IsAlive(id))
                    _earlier.Remove(id);
            }
            _surplus.UnionWith(lives.Where(_earlier.Contains).OrderByDescending(detector.LastHeard).ThenByDescending(id => id).Skip(KeptOfEach));
        }
        _earlier.RemoveWhere(id => !state.Knows(id));
        foreach (var (id, since) in _heldElsewhere)
            if (settings.TimeProvider.GetElapsedTime(since) >= ShortMemory || !state.Knows(id))
                _heldElsewhere.Remove(id);
    }

    /// <summary>True if digests name it.</summary>
    public bool IsNamed(NodeState node)
        => !node.IsRumor && (_heldElsewhere.ContainsKey(node.Id) || (!_surplus.Contains(node.Id) && !IsDeadForHalf(node.Id)));

    /// <summary>
    /// True if deltas tell of it. A rumor is not told of, so that it ends where it began; nor is a node that will soon be forgotten, or
    /// those that forget it at different times would tell each other of it for ever.
    /// </summary>
    public bool IsTold(NodeState node) => !node.IsRumor && !_earlier.Contains(node.Id) && !IsDeadForHalf(node.Id);

    /// <summary>True if its state is no longer needed.</summary>
    public bool IsOver(NodeState node)
        => detector.DeadFor(node.Id) is { } dead && !_heldElsewhere.ContainsKey(node.Id) && dead >= MemoryOf(node);

    TimeSpan MemoryOf(NodeState node)
        => (_surplus.Contains(node.Id) || node.IsRumor) && ShortMemory < settings.Options.ForgetAfter
            ? ShortMemory
            : settings.Options.ForgetAfter;

    bool IsDeadForHalf(GossipId id) => detector.DeadFor(id) is { } dead && dead >= settings.Options.ForgetAfter / 2;

    /// <summary>
    /// A life that runs has taken the place of one that does not, whatever their generations are, as a clock may have been set back; and of
    /// two at one address the later one has.
    /// </summary>
    bool HasReplaced(GossipId other, GossipId id)
        => !other.Equals(id) && (other.Equals(settings.Self) || detector.IsAlive(other))
            && (!detector.IsAlive(id) || (other.Address.Equals(id.Address) && other.Generation > id.Generation));
}
