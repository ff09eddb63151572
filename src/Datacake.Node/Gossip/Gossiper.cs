using System.Globalization;

namespace Datacake.Node.Gossip;

/// <summary>
/// The gossip state machine of one node. It is driven by rounds and received messages, and returns the messages to send. It follows the
/// rules of chitchat 0.10, and extends them for peers that name themselves (<see cref="GossipSender"/>). Not thread-safe.
/// </summary>
sealed class Gossiper
{
    /// <summary>The maximum length of the record that is kept across a restart: far more than 256 nodes with a few labels need.</summary>
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
        // A digest takes at most half of a message, which leaves at least the other half for the delta that follows it.
        var body = settings.MaxMessageLength - WireFormat.HeaderLength - _senderLength;
        MaxDigestLength = body / 2;
        var operations = body - MaxDigestLength;
        operations -= WireFormat.DeltaLengthAtMost(operations) - operations;
        MaxEntryLength = operations - WireFormat.EncodedLength(new NodeDelta(settings.Self, 0, 0, [])) - WireFormat.EntryLength("", "");
        if (MaxEntryLength < 256)
            throw new ArgumentException($"A message length of {settings.MaxMessageLength} bytes is too small for gossip.", nameof(settings));
    }

    /// <summary>Gets the maximum length in bytes of a key and its value together that this node can publish.</summary>
    public int MaxEntryLength { get; }

    public NodeState Self => _state.Self;

    /// <summary>Gets the states of all known nodes and their earlier lives, including this node.</summary>
    public IList<NodeState> Nodes => _state.Nodes;

    /// <summary>True while this node gives way to another one that uses its node id, and therefore does not take part in gossip.</summary>
    public bool GivesWay => _namesakes.GivesWayTo is not null;

    /// <summary>Gets or sets the id of this node's store; 0 while it has none. It is also published as a key.</summary>
    public ulong Store
    {
        get => _namesakes.Store;
        set
        {
            _namesakes.Store = value;
            Set(NodeKeys.Store, value.ToString("x16", CultureInfo.InvariantCulture));
        }
    }

    /// <summary>
    /// Gets or sets the ids of the stores that were retired from the cluster. If two nodes use the same id, the one with a retired store
    /// gives way.
    /// </summary>
    public IReadOnlySet<ulong> RetiredStores
    {
        get => _namesakes.Retired;
        set => _namesakes.Retired = value;
    }

    int MaxDigestLength { get; }

    public bool IsAlive(GossipId id) => id.Equals(Self.Id) || (_detector.IsAlive(id) && !_earlierLives.Contains(id));

    public bool IsEarlierLife(GossipId id) => _earlierLives.Contains(id);

    /// <summary>
    /// Returns true for a node that has been dead for so long that it is no longer a member, although peers may still name it.
    /// </summary>
    public bool IsForgotten(GossipId id) => _detector.DeadFor(id) is { } dead && dead >= _settings.Options.ForgetAfter;

    public bool IsRetired(NodeState node)
        => node.TryGet(NodeKeys.Store, out var store)
            && ulong.TryParse(store, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var id)
            && _namesakes.IsRetiredStore(id);

    /// <summary>Returns the timestamp at which a node was last heard of or was found dead, for comparisons with other nodes.</summary>
    public long LastHeard(GossipId id) => _detector.LastHeard(id) ?? long.MinValue;

    public double? Phi(GossipId id) => _detector.Phi(id);

    /// <summary>Publishes a key of this node.</summary>
    /// <exception cref="ArgumentException">The entry is too large for a message, or is not valid text.</exception>
    public void Set(string key, string value, EntryStatus status = EntryStatus.Set)
    {
        EntryLimits.Check(key, value, MaxEntryLength);
        Self.Set(key, value, status);
    }

    public void Delete(string key) => Self.Delete(key);

    /// <summary>Sets the seeds, where this node looks for other nodes.</summary>
    public void SetSeeds(IEnumerable<GossipTarget> seeds) => _seeds = [.. seeds.Distinct()];

    /// <summary>Returns the record of the other nodes that the next life of this process needs.</summary>
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
    /// Adds the nodes that an earlier life of this process has recorded. They count as dead until they give a sign of life, and this node
    /// tries to reach them like all dead nodes.
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

    /// <summary>Starts a round.</summary>
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

    /// <summary>Returns the nodes that are alive, without this one.</summary>
    IReadOnlyList<GossipTarget> LiveTargets() => [.. Others().Where(node => IsAlive(node.Id)).Select(TargetOf).Distinct()];

    /// <summary>
    /// Returns the targets of the farewell: the nodes that are alive, and those that may be, because they were met or found dead only
    /// recently. A node that leaves soon after its start cannot tell yet.
    /// </summary>
    public IReadOnlyList<GossipTarget> FarewellTargets()
        =>
        [
            .. Others()
                .Where(node => !node.IsRumor && (_detector.DeadFor(node.Id) is not { } dead || dead < _settings.Options.MinSilence))
                .Select(TargetOf)
                .Distinct(),
        ];

    /// <summary>Handles a message. Returns the reply to its sender, or null if there is none.</summary>
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

    /// <summary>
    /// Returns true if a message that is refused gets an answer. If it is itself a refusal, the only reason for an answer is that the
    /// sender does not yet know that its store was retired.
    /// </summary>
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
        // Another implementation sends this message only to nodes of other clusters.
        return message is GossipMessage.BadCluster && sender is null
            ? new GossipRefusal(null, GossipRefusalReason.OtherCluster, IsOwnFault: false)
            : null;
    }

    bool IsNamesake(GossipId id) => id.Name == Self.Id.Name && !id.Equals(Self.Id);

    /// <summary>Returns the targets of a round.</summary>
    public IReadOnlyCollection<GossipTarget> ChooseTargets()
    {
        _namesakes.Reconsider();
        if (_namesakes.GivesWayTo is { } namesake)
            return [TargetOf(namesake)];
        var live = LiveTargets();
        // An invalid message can name any address, so nothing is sent to a rumor.
        var dead = Others().Where(node => !node.IsRumor).Select(TargetOf).Distinct().Except(live).ToArray();
        var chosen = PeerSelection.Choose(live, dead, _seeds, _settings.Random);
        return [.. chosen.Union(NewNamesakes())];
    }

    /// <summary>
    /// Returns the nodes that use the id of this one and may be alive. They are contacted at once, because one of the two has to give way.
    /// </summary>
    public IReadOnlyList<GossipTarget> NewNamesakes()
        =>
        [
            .. Others()
                .Where(node => IsNamesake(node.Id) && (_probedNamesakes.Add(node.Id) || IsAlive(node.Id)))
                .Select(TargetOf),
        ];

    /// <summary>
    /// Returns all other nodes. Identities with this node's id and address are its own earlier lives. A different id at the same address is
    /// another node, whose name resolves to that address on its own machine, such as 127.0.1.1.
    /// </summary>
    IEnumerable<NodeState> Others()
        => _state.Nodes.Where(node => !node.Id.Address.Equals(Self.Id.Address) || node.Id.Name != Self.Id.Name);

    GossipTarget TargetOf(GossipId id)
        => _state.Nodes.FirstOrDefault(node => node.Id.Equals(id)) is { } node ? TargetOf(node) : new GossipTarget(id.Address);

    /// <summary>
    /// Returns the target of a node. It has the address that the node publishes, because the identity contains the address to which the
    /// node's name resolves on its own machine.
    /// </summary>
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
            if (!node.Id.Equals(Self.Id) && _earlierLives.CanForget(node))
                _state.Forget(node.Id);
        _detector.ForgetAllBut(_state.Knows);
        _probedNamesakes.RemoveWhere(id => !_state.Knows(id));
    }

    /// <summary>
    /// Discounts the time for which this process was paused, so that the silence of other nodes in that time does not count.
    /// </summary>
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
