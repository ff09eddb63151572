namespace Datacake.Node.Gossip;

/// <summary>
/// The state of all nodes as this node knows it, including its own. Creates digests and deltas, and applies those of other nodes.
/// </summary>
sealed class ClusterState(GossipId self, TimeProvider time)
{
    /// <summary>
    /// The maximum number of identities. There are 256 node ids, and most earlier lives are soon forgotten. Once the maximum is reached, a
    /// new identity is accepted only in place of a rumor. Therefore digests that a stranger makes up can neither fill the memory nor keep
    /// out an existing node.
    /// </summary>
    public const int MaxNodes = 1_024;

    readonly SortedList<GossipId, NodeState> _nodes = new() { [self] = new NodeState(self, time) };
    readonly LinkedList<GossipId> _met = new();     // oldest first; contains all rumors, and some identities that are no longer rumors
    readonly ForgottenNodes _forgotten = new();
    int _digestCursor;

    /// <summary>Gets the state of this node.</summary>
    public NodeState Self => _nodes[self];

    /// <summary>Gets the states of all known nodes, in the order of their identities.</summary>
    public IList<NodeState> Nodes => _nodes.Values;

    public bool Knows(GossipId id) => _nodes.ContainsKey(id);

    /// <summary>
    /// Records a heartbeat from the digest of a peer, and adds the node if it is unknown. Returns true if the heartbeat is a sign of life.
    /// </summary>
    public bool Observe(GossipId id, ulong heartbeat)
    {
        if (!_nodes.TryGetValue(id, out var node))
        {
            if (_forgotten.IsOldNews(id, heartbeat) || !MakeRoom())
                return false;
            _forgotten.Remove(id);
            _nodes[id] = node = new NodeState(id, time);
            _met.AddLast(id);
        }
        return node.Observe(heartbeat);
    }

    /// <summary>Adds a node as it was known before this process restarted. The node has to give a new sign of life.</summary>
    public void Recall(NodeDelta remembered)
    {
        if (_nodes.ContainsKey(remembered.Id) || !MakeRoom())
            return;
        var node = new NodeState(remembered.Id, time);
        node.Apply(remembered);
        _nodes[remembered.Id] = node;
    }

    public void Forget(GossipId id)
    {
        _met.Remove(id);
        if (_nodes.Remove(id, out var node))
            _forgotten.Add(id, node.Heartbeat);
    }

    /// <summary>
    /// Makes room for an identity, if necessary by removing the oldest rumor. Returns false if there is no rumor to remove.
    /// </summary>
    bool MakeRoom()
    {
        if (_nodes.Count < MaxNodes)
            return true;
        while (_met.First is { Value: var oldest })
        {
            _met.RemoveFirst();
            if (_nodes[oldest].IsRumor)
                return _nodes.Remove(oldest);
        }
        return false;
    }

    /// <summary>
    /// Creates a digest. If not all nodes fit, the digest names this node and as many others as fit. The next digest then continues where
    /// this one ends.
    /// </summary>
    /// <param name="isNamed">Returns true for the nodes to name.</param>
    /// <param name="maxLength">The maximum length of the encoded digest in bytes.</param>
    public Digest CreateDigest(Func<NodeState, bool> isNamed, int maxLength)
    {
        var others = _nodes.Values.Where(node => !node.Id.Equals(self) && isNamed(node)).ToArray();
        var entries = new List<DigestEntry>(others.Length + 1) { Self.ToDigestEntry() };
        var length = 2 + entries[0].EncodedLength;
        var start = others.Length == 0 ? 0 : _digestCursor % others.Length;
        for (var i = 0; i < others.Length; i++)
        {
            var entry = others[(start + i) % others.Length].ToDigestEntry();
            length += entry.EncodedLength;
            if (length > maxLength || entries.Count == ushort.MaxValue)
                break;
            entries.Add(entry);
        }
        var isPartial = entries.Count <= others.Length;
        if (isPartial)
            _digestCursor = start + entries.Count - 1;
        entries.Sort(static (left, right) => left.Id.CompareTo(right.Id));
        return new Digest(entries, isPartial);
    }

    /// <summary>
    /// Creates a delta of the entries that the sender of a digest lacks, as far as they fit. Nodes that are unknown to the sender come
    /// first, then those of which it lacks the most entries. The entries of each node have no gaps.
    /// </summary>
    /// <param name="digest">The digest, which says what its sender knows.</param>
    /// <param name="isTold">Returns true for the nodes to include.</param>
    /// <param name="maxLength">The maximum length of the encoded delta in bytes.</param>
    /// <param name="random">The source of randomness that shuffles nodes of equal priority.</param>
    public Delta CreateDelta(Digest digest, Func<NodeState, bool> isTold, int maxLength, Random random)
    {
        var known = new Dictionary<GossipId, DigestEntry>(digest.Entries.Count);
        foreach (var entry in digest.Entries)
            known[entry.Id] = entry;

        var stale = new List<(NodeState Node, ulong From, ulong Order)>();
        foreach (var node in _nodes.Values)
        {
            var isNamed = known.TryGetValue(node.Id, out var entry);
            if ((!isNamed && digest.IsPartial) || node.MaxVersion <= entry.MaxVersion || !isTold(node))
                continue;
            var from = node.MissingFrom(entry);
            // Unknown nodes are ordered by ascending length, known nodes by descending staleness.
            stale.Add((node, from, from == 0 ? node.MaxVersion : ulong.MaxValue - (ulong)node.CountAbove(from)));
        }
        var inOrder = stale.ToArray();
        random.Shuffle(inOrder);
        var sections = new List<NodeDelta>();
        var length = 0;
        foreach (var (node, from, _) in inOrder.OrderBy(item => item.From != 0).ThenBy(item => item.Order))
            if (Section(node, from, maxLength, ref length) is { } section)
                sections.Add(section);
        return new Delta(sections);
    }

    /// <summary>Applies a delta. A section about this node is ignored, because only the node itself changes its own state.</summary>
    public void Apply(Delta delta)
    {
        foreach (var section in delta.Nodes)
            if (!section.Id.Equals(self) && _nodes.TryGetValue(section.Id, out var node))
                node.Apply(section);
    }

    /// <summary>
    /// Returns as many of a node's entries as still fit, or null if none do. The space that an entry would have exceeded remains available
    /// for the next node.
    /// </summary>
    static NodeDelta? Section(NodeState node, ulong from, int maxLength, ref int length)
    {
        var entries = new List<DeltaEntry>();
        var section = new NodeDelta(node.Id, node.LastGcVersion, from, entries);
        var total = length + WireFormat.EncodedLength(section);
        var isEmpty = true;
        foreach (var entry in node.EntriesAbove(from))
        {
            isEmpty = false;
            total += WireFormat.EncodedLength(entry);
            if (WireFormat.DeltaLengthAtMost(total) > maxLength)
                break;
            entries.Add(entry);
            length = total;
        }
        if (entries.Count > 0)
            return section;
        total += WireFormat.MaxVersionLength;
        if (!isEmpty || WireFormat.DeltaLengthAtMost(total) > maxLength)
            return null;
        length = total;
        return section with { ExplicitMaxVersion = node.MaxVersion };
    }
}
