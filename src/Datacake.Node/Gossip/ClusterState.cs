namespace Datacake.Node.Gossip;

/// <summary>
/// What this node knows of all nodes, itself included: makes digests of it, deltas for the digests of others, and takes in both.
/// </summary>
sealed class ClusterState(GossipId self, TimeProvider time)
{
    /// <summary>
    /// Identities beyond this number are taken in only in the place of a rumor: there are 256 node ids, and the earlier lives of each are
    /// soon forgotten. Digests made up by a stranger can neither fill the memory nor keep out a node that is there.
    /// </summary>
    public const int MaxNodes = 1_024;

    readonly SortedList<GossipId, NodeState> _nodes = new() { [self] = new NodeState(self, time) };
    readonly LinkedList<GossipId> _met = new();     // the oldest first; all rumors are here, and some that are none any more
    readonly ForgottenNodes _forgotten = new();
    int _digestCursor;

    /// <summary>The state of this node.</summary>
    public NodeState Self => _nodes[self];

    /// <summary>All known nodes in the order of their identities.</summary>
    public IList<NodeState> Nodes => _nodes.Values;

    public bool Knows(GossipId id) => _nodes.ContainsKey(id);

    /// <summary>
    /// Takes note of a heartbeat in the digest of a peer, and of a node that it is the first to tell of. True if it is a sign of life.
    /// </summary>
    public bool Observe(GossipId id, ulong heartbeat)
    {
        if (!_nodes.TryGetValue(id, out var node))
        {
            if (_forgotten.IsOldNews(id, heartbeat) || !HasRoom())
                return false;
            _forgotten.Remove(id);
            _nodes[id] = node = new NodeState(id, time);
            _met.AddLast(id);
        }
        return node.Observe(heartbeat);
    }

    /// <summary>Takes in a node as it was known before this process restarted. It has to show anew that it lives.</summary>
    public void Recall(NodeDelta remembered)
    {
        if (_nodes.ContainsKey(remembered.Id) || !HasRoom())
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

    /// <summary>False if there is none, and no rumor either that could make room.</summary>
    bool HasRoom()
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
    /// A digest of at most so many bytes. If not all nodes fit, it holds this one and as many of the others as do, beginning with the
    /// next one each time.
    /// </summary>
    /// <param name="isNamed">Says which nodes to name.</param>
    /// <param name="maxLength">The bytes of the encoded digest.</param>
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
    /// What the sender of a digest lacks, as far as it fits: nodes unknown to it first, then those of which it lacks most; of each a
    /// run without a gap.
    /// </summary>
    /// <param name="digest">What it knows.</param>
    /// <param name="isTold">Says of which nodes to tell.</param>
    /// <param name="maxLength">The bytes of the encoded delta.</param>
    /// <param name="random">Shuffles equals.</param>
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
            // Unknown nodes: the shorter, the sooner. Known ones: the staler, the sooner.
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

    /// <summary>Takes in what others know of others. Of itself a node knows best.</summary>
    public void Apply(Delta delta)
    {
        foreach (var section in delta.Nodes)
            if (!section.Id.Equals(self) && _nodes.TryGetValue(section.Id, out var node))
                node.Apply(section);
    }

    /// <summary>
    /// The part of a node's entries that still fits; null if none does. What does not fit of one node leaves room for the next.
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
