namespace Datacake.Node.Gossip;

/// <summary>
/// The earlier lives of restarted nodes. Determines which identities are earlier lives, and for how long these and other dead identities
/// are named in digests and kept.
/// </summary>
/// <remarks>
/// If a digest does not name an identity, a peer of another implementation assumes that the sender does not know it, and sends its whole
/// state first, in every exchange. Therefore an identity is named for as long as such a peer names it, with entries, in its own digests.
/// This never makes the digests of this node longer than those of such peers. Nodes of this implementation do not send the state of an
/// earlier life, so without such peers it need not be named at all. This results in a bound: of each node, the <see cref="KeptOfEach"/>
/// earlier lives that were heard of last are named and kept like any dead node, and further ones only for the sake of other
/// implementations.
/// </remarks>
sealed class EarlierLives(GossipSettings settings, ClusterState state, FailureDetector detector)
{
    /// <summary>
    /// The number of earlier lives of each node that are kept for as long as a dead node, however often the node restarts.
    /// </summary>
    public const int KeptOfEach = 4;

    /// <summary>
    /// The time after which further earlier lives are forgotten, as well as rumors, which invalid messages leave behind. For the same time,
    /// an identity that a peer of another implementation has named counts as held by that peer.
    /// </summary>
    public static readonly TimeSpan ShortMemory = TimeSpan.FromMinutes(5);

    readonly HashSet<GossipId> _earlier = [];
    readonly HashSet<GossipId> _surplus = [];
    readonly Dictionary<GossipId, long> _heldElsewhere = [];

    /// <summary>Returns true for an earlier life of a node. It remains an earlier life even if the later life dies.</summary>
    public bool Contains(GossipId id) => _earlier.Contains(id);

    /// <summary>
    /// Records the identities that the digest of a peer of another implementation names with entries. The peer sends what this node lacks
    /// of them.
    /// </summary>
    public void NoteHeld(Digest digest)
    {
        foreach (var entry in digest.Entries)
            if (entry.MaxVersion > 0 && state.Knows(entry.Id))
                _heldElsewhere[entry.Id] = settings.TimeProvider.GetTimestamp();
    }

    /// <summary>Judges all identities again. Called after the failure detector has judged them.</summary>
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

    /// <summary>Returns true if digests name the node.</summary>
    public bool IsNamed(NodeState node)
        => !node.IsRumor && (_heldElsewhere.ContainsKey(node.Id) || (!_surplus.Contains(node.Id) && !IsDeadForHalf(node.Id)));

    /// <summary>
    /// Returns true if deltas include the node. Rumors are not included, so that they do not spread. Nodes that will soon be forgotten are
    /// not included either; otherwise peers that forget such a node at different times would tell each other about it forever.
    /// </summary>
    public bool IsTold(NodeState node) => !node.IsRumor && !_earlier.Contains(node.Id) && !IsDeadForHalf(node.Id);

    /// <summary>Returns true if the state of the node is no longer needed.</summary>
    public bool CanForget(NodeState node)
        => detector.DeadFor(node.Id) is { } dead && !_heldElsewhere.ContainsKey(node.Id) && dead >= MemoryOf(node);

    TimeSpan MemoryOf(NodeState node)
        => (_surplus.Contains(node.Id) || node.IsRumor) && ShortMemory < settings.Options.ForgetAfter
            ? ShortMemory
            : settings.Options.ForgetAfter;

    bool IsDeadForHalf(GossipId id) => detector.DeadFor(id) is { } dead && dead >= settings.Options.ForgetAfter / 2;

    /// <summary>
    /// Returns true if one identity has replaced another one of the same node. A life that is up replaces one that is not, whatever their
    /// generations, because a clock may have been set back. Of two lives at the same address, the later one replaces the earlier one.
    /// </summary>
    bool HasReplaced(GossipId other, GossipId id)
        => !other.Equals(id) && (other.Equals(settings.Self) || detector.IsAlive(other))
            && (!detector.IsAlive(id) || (other.Address.Equals(id.Address) && other.Generation > id.Generation));
}
