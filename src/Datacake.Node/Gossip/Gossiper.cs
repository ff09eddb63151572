using System.Globalization;

namespace Datacake.Node.Gossip;

/// <summary>
/// One node's part in the gossip: a state machine that is told of rounds and messages, and returns what to send. It keeps
/// to the rules of chitchat 0.10, and adds to them where nodes say who they are (<see cref="GossipSender"/>). Not thread-safe.
/// </summary>
sealed class Gossiper
{
    /// <summary>Bytes of what is kept across a restart: far above what 256 nodes with a few labels need.</summary>
    const int MaxRememberedLength = 1024 * 1024;

    readonly GossipSettings _settings;
    readonly ClusterState _state;
    readonly FailureDetector _detector;
    readonly EarlierLives _earlierLives;
    readonly Namesakes _namesakes;
    readonly HashSet<GossipId> _probedNamesakes = [];
    readonly int _senderLength;
    IReadOnlyList<GossipTarget> _seeds = [];
    long? _lastRound;

    public Gossiper(GossipSettings settings)
    {
        _settings = settings;
        _state = new ClusterState(settings.Self, settings.TimeProvider);
        _detector = new FailureDetector(settings.Options, settings.TimeProvider);
        _earlierLives = new EarlierLives(settings, _state, _detector);
        _namesakes = new Namesakes(settings);
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

    /// <summary>True while this node is silent because another one uses its node id.</summary>
    public bool GivesWay => _namesakes.GivesWayTo is not null;

    /// <summary>The id of this node's store; 0 while it has none. Others find it among the keys.</summary>
    public ulong Store
    {
        get => _namesakes.Store;
        set
        {
            _namesakes.Store = value;
            Set(NodeKeys.Store, value.ToString("x16", CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Store ids that were retired from the cluster: of two nodes with one id, the one whose store is among them gives way.</summary>
    public IReadOnlySet<ulong> RetiredStores
    {
        get => _namesakes.Retired;
        set => _namesakes.Retired = value;
    }

    int MaxDigestLength { get; }

    public bool IsAlive(GossipId id) => id.Equals(Self.Id) || (_detector.IsAlive(id) && !_earlierLives.Contains(id));

    public bool IsEarlierLife(GossipId id) => _earlierLives.Contains(id);

    /// <summary>True for a node that has been dead for so long that it is no member any more, though a peer may still name it.</summary>
    public bool IsForgotten(GossipId id) => _detector.DeadFor(id) is { } dead && dead >= _settings.Options.ForgetAfter;

    public bool IsRetired(NodeState node)
        => node.TryGet(NodeKeys.Store, out var store)
            && ulong.TryParse(store, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id)
            && _namesakes.IsRetiredStore(id);

    /// <summary>Orders nodes by when they were last heard of, or found dead.</summary>
    public long LastHeard(GossipId id) => _detector.LastHeard(id) ?? long.MinValue;

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
    public void SetSeeds(IEnumerable<GossipTarget> seeds) => _seeds = [.. seeds.Distinct()];

    /// <summary>What to keep of the others for the next life of this process.</summary>
    public RememberedNodes Remember()
    {
        var states = _state.CreateDelta(new Digest([]), IsWorthRemembering, MaxRememberedLength, _settings.Random);
        var now = _settings.TimeProvider.GetUtcNow();
        var downSince = new Dictionary<GossipId, DateTimeOffset>();
        foreach (var node in states.Nodes)
            if (_detector.DeadFor(node.Id) is { } dead)
                downSince[node.Id] = now - dead;
        return new RememberedNodes(_settings.ClusterId, states, downSince, Self.Id.Generation, Store, RetiredStores);
    }

    /// <summary>
    /// Takes in what an earlier life of this process has kept. The nodes are dead until they show that they live, and are looked for like
    /// all dead ones.
    /// </summary>
    public void Recall(RememberedNodes nodes)
    {
        _namesakes.Store = nodes.Store;
        _namesakes.Retired = nodes.RetiredStores;
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
    IReadOnlyList<GossipTarget> LiveTargets() => [.. Others().Where(node => IsAlive(node.Id)).Select(TargetOf).Distinct()];

    /// <summary>
    /// To whom a farewell is said: the nodes that run, and those that may, as they were met, or found dead, only now. A node that leaves soon
    /// after its start could not tell yet.
    /// </summary>
    public IReadOnlyList<GossipTarget> FarewellTargets()
        =>
        [
            .. Others()
                .Where(node => !node.IsRumor && (_detector.DeadFor(node.Id) is not { } dead || dead < _settings.Options.MinSilence))
                .Select(TargetOf)
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
        if (refusal is not null)
            return IsRefusalAnswered(message) ? new GossipMessage.BadCluster(CreateSender(message.Sender)) : null;
        if (GivesWay)
            return null;
        if (message.Sender is { } sender)
            _settings.Accepted(sender);
        return Answer(message);
    }

    /// <summary>A refusal is answered only to tell a node what it does not know: that its store was retired.</summary>
    bool IsRefusalAnswered(GossipMessage message)
        => message is not GossipMessage.BadCluster
            || (message.Sender is { HoldsReceiverRetired: false } sender && _namesakes.IsRetiredStore(sender.Store));

    GossipMessage? Answer(GossipMessage message)
    {
        switch (message)
        {
            case GossipMessage.Syn syn:
                Observe(syn.Digest, syn.Sender);
                var digest = CreateDigest();
                var used = WireFormat.HeaderLength + 2 + digest.Entries.Sum(entry => entry.EncodedLength);
                return new GossipMessage.SynAck(digest, CreateDelta(syn.Digest, used), CreateSender(syn.Sender));
            case GossipMessage.SynAck synAck:
                Observe(synAck.Digest, synAck.Sender);
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
        if (sender is not null && _namesakes.Judge(sender) is { } refusal)
            return refusal;
        // An implementation that does not say who it is sends this only to nodes of other clusters.
        return message is GossipMessage.BadCluster && sender is null
            ? new GossipRefusal(null, GossipRefusalReason.OtherCluster, IsOwnFault: false)
            : null;
    }

    bool IsNamesake(GossipId id) => id.Name == Self.Id.Name && !id.Equals(Self.Id);

    /// <summary>Whom to talk to in a round.</summary>
    public IReadOnlyCollection<GossipTarget> ChooseTargets()
    {
        _namesakes.Reconsider();
        if (_namesakes.GivesWayTo is { } namesake)
            return [TargetOf(namesake)];
        var live = LiveTargets();
        // Garbage can name any address: nobody is sent anything on a rumor.
        var dead = Others().Where(node => !node.IsRumor).Select(TargetOf).Distinct().Except(live).ToArray();
        var chosen = PeerSelection.Choose(live, dead, _seeds, _settings.Random);
        return [.. chosen.Union(NewNamesakes())];
    }

    /// <summary>
    /// The addresses of nodes that use this one's id and may run: they are asked at once, since one of the two has to give way.
    /// </summary>
    public IReadOnlyList<GossipTarget> NewNamesakes()
        =>
        [
            .. Others()
                .Where(node => IsNamesake(node.Id) && (_probedNamesakes.Add(node.Id) || IsAlive(node.Id)))
                .Select(TargetOf),
        ];

    /// <summary>
    /// All other nodes. Those of this one's id at its own address are earlier lives of it; another id there is a node whose name means the same
    /// address on its own machine, such as 127.0.1.1.
    /// </summary>
    IEnumerable<NodeState> Others()
        => _state.Nodes.Where(node => !node.Id.Address.Equals(Self.Id.Address) || node.Id.Name != Self.Id.Name);

    GossipTarget TargetOf(GossipId id)
        => _state.Nodes.FirstOrDefault(node => node.Id.Equals(id)) is { } node ? TargetOf(node) : new GossipTarget(id.Address);

    /// <summary>A node is called by the address that it publishes, since its identity holds what its name means on its own machine.</summary>
    static GossipTarget TargetOf(NodeState node)
        => node.TryGet(NodeKeys.Address, out var address) && NodeAddress.IsValid(address)
            ? new GossipTarget(node.Id.Address, address)
            : new GossipTarget(node.Id.Address);

    void Observe(Digest digest, GossipSender? sender)
    {
        foreach (var entry in digest.Entries)
            if (!entry.Id.Equals(Self.Id) && _state.Observe(entry.Id, entry.Heartbeat))
                _detector.Report(entry.Id);
        if (sender is null)
            _earlierLives.NoteHeld(digest);
    }

    void UpdateLiveness()
    {
        foreach (var node in _state.Nodes)
            if (!node.Id.Equals(Self.Id))
                _detector.Judge(node.Id);
        _earlierLives.Update();
        foreach (var node in _state.Nodes.ToArray())
            if (!node.Id.Equals(Self.Id) && _earlierLives.IsOver(node))
                _state.Forget(node.Id);
        _detector.ForgetAllBut(_state.Knows);
        _probedNamesakes.RemoveWhere(id => !_state.Knows(id));
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

    bool IsWorthRemembering(NodeState node)
        => node.Id.Name != Self.Id.Name && !_earlierLives.Contains(node.Id) && !IsForgotten(node.Id);

    Digest CreateDigest() => _state.CreateDigest(_earlierLives.IsNamed, MaxDigestLength);

    Delta CreateDelta(Digest known, int used)
        => _state.CreateDelta(known, _earlierLives.IsTold, _settings.MaxMessageLength - used - _senderLength, _settings.Random);

    GossipSender CreateSender(GossipSender? receiver = null) => new(
        Self.Id,
        _settings.ClusterId,
        _settings.Stamp(),
        _settings.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds(),
        receiver?.Exchange ?? 0,
        Store,
        receiver is not null && _namesakes.IsRetiredStore(receiver.Store));
}
