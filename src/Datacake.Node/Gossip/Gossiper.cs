using System.Net;

namespace Datacake.Node.Gossip;

/// <summary>
/// One node's part in the gossip: a state machine that is told of rounds and messages, and returns what to send. It keeps
/// to the rules of chitchat 0.10, and adds to them where nodes say who they are (<see cref="GossipSender"/>). Not thread-safe.
/// </summary>
sealed class Gossiper
{
    /// <summary>
    /// Earlier lives of a node that runs again are forgotten soon, so that one which keeps crashing does not fill the digests; and so are
    /// rumours, which garbage leaves behind.
    /// </summary>
    static readonly TimeSpan ShortMemory = TimeSpan.FromMinutes(5);

    /// <summary>Bytes of what is kept across a restart: far above what 256 nodes with a few labels need.</summary>
    const int MaxRememberedLength = 1024 * 1024;

    readonly GossipSettings _settings;
    readonly ClusterState _state;
    readonly FailureDetector _detector;
    readonly HashSet<GossipId> _earlierLives = [];
    readonly HashSet<GossipId> _probedNamesakes = [];
    readonly int _senderLength;
    IReadOnlyList<IPEndPoint> _seeds = [];
    long? _lastRound;
    GossipId? _givesWayTo;
    long _gaveWayAt;

    public Gossiper(GossipSettings settings)
    {
        _settings = settings;
        _state = new ClusterState(settings.Self, settings.TimeProvider);
        _detector = new FailureDetector(settings.Options, settings.TimeProvider);
        Self.Beat();
        _senderLength = WireFormat.EncodedLength(CreateSender());
        // Half of a message is for the digest, half at least for the delta behind it.
        var body = settings.MaxMessageLength - WireFormat.HeaderLength - _senderLength;
        MaxDigestLength = body / 2;
        var operations = body - MaxDigestLength;
        operations -= WireFormat.DeltaLengthAtMost(operations) - operations;
        MaxEntryLength = operations - WireFormat.EncodedLength(new NodeDelta(settings.Self, 0, 0, [])) - WireFormat.EntryLength("", "");
        if (MaxEntryLength < 256)
            throw new ArgumentException($"A message of {settings.MaxMessageLength} bytes is too small to gossip with.", nameof(settings));
    }

    /// <summary>The most bytes of key and value together that this node can publish.</summary>
    public int MaxEntryLength { get; }

    public NodeState Self => _state.Self;

    /// <summary>All known nodes and earlier lives of nodes, this one included.</summary>
    public IList<NodeState> Nodes => _state.Nodes;

    public IReadOnlyList<IPEndPoint> Seeds => _seeds;

    /// <summary>True while this node is silent because an older one uses its node id.</summary>
    public bool GivesWay => _givesWayTo is not null;

    int MaxDigestLength { get; }

    public bool IsAlive(GossipId id) => id.Equals(Self.Id) || (_detector.IsAlive(id) && !_earlierLives.Contains(id));

    public double? Phi(GossipId id) => _detector.Phi(id);

    /// <summary>Publishes a key of this node.</summary>
    /// <exception cref="ArgumentException">It is too large to fit into every message, or not text.</exception>
    public void Set(string key, string value, EntryStatus status = EntryStatus.Set)
    {
        EntryLimits.Check(key, value, MaxEntryLength);
        Self.Set(key, value, status);
    }

    public void Delete(string key) => Self.Delete(key);

    /// <summary>Where to look for others when no one else is known.</summary>
    public void SetSeeds(IEnumerable<IPEndPoint> seeds) => _seeds = [.. seeds.Distinct().Where(seed => !seed.Equals(Self.Id.Address))];

    /// <summary>What to keep of the others for the next life of this process.</summary>
    public RememberedNodes Remember()
    {
        var states = _state.CreateDelta(new Digest([]), IsWorthRemembering, MaxRememberedLength, _settings.Random);
        var now = _settings.TimeProvider.GetUtcNow();
        var downSince = new Dictionary<GossipId, DateTimeOffset>();
        foreach (var node in states.Nodes)
            if (_detector.DeadFor(node.Id) is { } dead)
                downSince[node.Id] = now - dead;
        return new RememberedNodes(_settings.ClusterId, states, downSince);
    }

    /// <summary>
    /// Takes in what an earlier life of this process has kept. The nodes are dead until they show that they live, and are looked for like
    /// all dead ones.
    /// </summary>
    public void Recall(RememberedNodes nodes)
    {
        var now = _settings.TimeProvider.GetUtcNow();
        foreach (var node in nodes.States.Nodes)
        {
            var dead = nodes.DownSince.TryGetValue(node.Id, out var since) && since < now ? now - since : TimeSpan.Zero;
            if (node.Id.Name == Self.Id.Name || dead >= _settings.Options.ForgetAfter)
                continue;
            _state.Recall(node);
            _detector.AssumeDead(node.Id, dead);
        }
    }

    /// <summary>Begins a round: to be called once in an interval.</summary>
    public GossipRound StartRound()
    {
        ForgiveOwnPause();
        var targets = ChooseTargets();
        Self.Beat();
        foreach (var node in _state.Nodes)
            node.Collect(_settings.Options.TombstoneLifetime);
        var syn = CreateSyn();
        UpdateLiveness();
        return new GossipRound(targets, syn);
    }

    public GossipMessage.Syn CreateSyn() => new(CreateDigest(), _settings.ClusterId, CreateSender());

    /// <summary>The nodes that run, without this one.</summary>
    IReadOnlyList<IPEndPoint> LiveAddresses()
        => [.. Others().Where(node => IsAlive(node.Id)).Select(node => node.Id.Address).Distinct()];

    /// <summary>
    /// To whom a farewell is said: the nodes that run, and those that may, as they were met, or found dead, only now. A node that leaves soon
    /// after its start could not tell yet.
    /// </summary>
    public IReadOnlyList<IPEndPoint> FarewellAddresses()
        =>
        [
            .. Others()
                .Where(node => !node.IsRumour && (_detector.DeadFor(node.Id) is not { } dead || dead < _settings.Options.MinSilence))
                .Select(node => node.Id.Address)
                .Distinct(),
        ];

    /// <summary>Takes in a message. The reply, if there is one, goes to where the message came from.</summary>
    public GossipMessage? Handle(GossipMessage message, out GossipRefusal? refusal)
    {
        Self.Beat();
        refusal = null;
        if (message.Sender is { } self && self.Id.Equals(Self.Id))
            return null;
        refusal = Refuse(message);
        if (refusal is { IsOwnFault: true })
            GiveWayTo(refusal.Peer!.Id);
        if (refusal is not null)
            return message is GossipMessage.BadCluster ? null : new GossipMessage.BadCluster(CreateSender());
        return _givesWayTo is null ? Answer(message) : null;
    }

    GossipMessage? Answer(GossipMessage message)
    {
        switch (message)
        {
            case GossipMessage.Syn syn:
                Observe(syn.Digest);
                var digest = CreateDigest();
                var used = WireFormat.HeaderLength + 2 + digest.Entries.Sum(entry => entry.EncodedLength);
                return new GossipMessage.SynAck(digest, CreateDelta(syn.Digest, used), CreateSender());
            case GossipMessage.SynAck synAck:
                Observe(synAck.Digest);
                _state.Apply(synAck.Delta);
                return new GossipMessage.Ack(CreateDelta(synAck.Digest, WireFormat.HeaderLength), CreateSender());
            case GossipMessage.Ack ack:
                _state.Apply(ack.Delta);
                return null;
            default:
                return null;
        }
    }

    GossipRefusal? Refuse(GossipMessage message)
    {
        var sender = message.Sender;
        var clusterId = sender?.ClusterId ?? (message as GossipMessage.Syn)?.ClusterId;
        if (clusterId is not null && clusterId != _settings.ClusterId)
            return new GossipRefusal(sender, GossipRefusalReason.OtherCluster, IsOwnFault: false);
        if (sender is not null && IsNamesake(sender.Id))
            return new GossipRefusal(sender, GossipRefusalReason.SameNodeId, IsOwnFault: IsOlder(sender.Id));
        // An implementation that does not say who it is sends this only to nodes of other clusters.
        return message is GossipMessage.BadCluster && sender is null
            ? new GossipRefusal(null, GossipRefusalReason.OtherCluster, IsOwnFault: false)
            : null;
    }

    bool IsNamesake(GossipId id) => id.Name == Self.Id.Name && !id.Equals(Self.Id);

    bool IsOlder(GossipId other) => other.CompareTo(Self.Id) < 0;

    /// <summary>Of two that use one node id, the one that came later falls silent for as long as the other answers.</summary>
    void GiveWayTo(GossipId namesake)
    {
        _givesWayTo = namesake;
        _gaveWayAt = _settings.TimeProvider.GetTimestamp();
    }

    /// <summary>Whom to talk to in a round.</summary>
    public IReadOnlyCollection<IPEndPoint> ChooseTargets()
    {
        if (_givesWayTo is { } namesake)
        {
            if (_settings.TimeProvider.GetElapsedTime(_gaveWayAt) < 2 * (_settings.Options.MinSilence + _settings.Options.ExchangeTimeout))
                return [namesake.Address];
            _givesWayTo = null;
        }
        var live = LiveAddresses();
        // Garbage can name any address: nobody is sent anything on a rumour.
        var dead = Others().Where(node => !node.IsRumour).Select(node => node.Id.Address).Distinct().Except(live).ToArray();
        var chosen = PeerSelection.Choose(live, dead, _seeds, _settings.Random);
        return [.. chosen.Union(NewNamesakes())];
    }

    /// <summary>
    /// The addresses of nodes that use this one's id and may run: they are asked at once, since one of the two has to give way.
    /// </summary>
    public IReadOnlyList<IPEndPoint> NewNamesakes()
        =>
        [
            .. Others().Select(node => node.Id)
                .Where(id => IsNamesake(id) && (_probedNamesakes.Add(id) || IsAlive(id)))
                .Select(id => id.Address),
        ];

    /// <summary>All nodes at other addresses than this one's; at its own there can only be earlier lives of it.</summary>
    IEnumerable<NodeState> Others() => _state.Nodes.Where(node => !node.Id.Address.Equals(Self.Id.Address));

    void Observe(Digest digest)
    {
        foreach (var entry in digest.Entries)
            if (!entry.Id.Equals(Self.Id) && _state.Observe(entry.Id, entry.Heartbeat))
                _detector.Report(entry.Id);
    }

    void UpdateLiveness()
    {
        foreach (var node in _state.Nodes)
            if (!node.Id.Equals(Self.Id))
                _detector.Judge(node.Id);
        FindEarlierLives();
        foreach (var node in _state.Nodes.ToArray())
            if (_detector.DeadFor(node.Id) is { } dead && dead >= MemoryOf(node))
                _state.Forget(node.Id);
        _detector.ForgetAllBut(_state.Knows);
        _probedNamesakes.RemoveWhere(id => !_state.Knows(id));
    }

    /// <summary>How long a node is remembered once it is dead.</summary>
    TimeSpan MemoryOf(NodeState node)
        => (_earlierLives.Contains(node.Id) || node.IsRumour) && ShortMemory < _settings.Options.ForgetAfter
            ? ShortMemory
            : _settings.Options.ForgetAfter;

    bool HasReplaced(GossipId later, GossipId earlier)
        => later.Generation > earlier.Generation && (later.Equals(Self.Id) || _detector.IsAlive(later))
            && (later.Address.Equals(earlier.Address) || !_detector.IsAlive(earlier));

    /// <summary>
    /// A later life that runs has taken the place of one that does not, or that was at the same address. That it runs matters: where
    /// a clock was set back, the life with the lower generation is the present one.
    /// </summary>
    void FindEarlierLives()
    {
        _earlierLives.Clear();
        foreach (var sameName in _state.Nodes.Select(node => node.Id).GroupBy(id => id.Name).Where(group => group.Skip(1).Any()))
            foreach (var id in sameName)
                if (!id.Equals(Self.Id) && sameName.Any(later => HasReplaced(later, id)))
                    _earlierLives.Add(id);
    }

    /// <summary>A process that did not run itself must not take the silence of the others in that time for theirs.</summary>
    void ForgiveOwnPause()
    {
        if (_lastRound is { } last
            && _settings.TimeProvider.GetElapsedTime(last) - _settings.Options.Interval is var late
            && late > _settings.Options.MinSilence / 2)
            _detector.Forgive(late);
        _lastRound = _settings.TimeProvider.GetTimestamp();
    }

    /// <summary>
    /// A rumour is not, so that it ends where it began; nor is a node that will soon be forgotten, or those that forget it at different
    /// times would tell each other of it for ever.
    /// </summary>
    bool IsSpokenOf(NodeState node)
        => !node.IsRumour && !_earlierLives.Contains(node.Id) && !(_detector.DeadFor(node.Id) is { } dead && dead >= MemoryOf(node) / 2);

    bool IsWorthRemembering(NodeState node) => node.Id.Name != Self.Id.Name && !_earlierLives.Contains(node.Id);

    Digest CreateDigest() => _state.CreateDigest(IsSpokenOf, MaxDigestLength);

    Delta CreateDelta(Digest known, int used)
        => _state.CreateDelta(known, IsSpokenOf, _settings.MaxMessageLength - used - _senderLength, _settings.Random);

    GossipSender CreateSender() => new(Self.Id, _settings.ClusterId, _settings.Stamp());
}
