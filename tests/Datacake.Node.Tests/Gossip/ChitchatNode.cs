using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

/// <summary>
/// A node that follows the rules of the Rust library chitchat 0.10 and knows none of Datacake's extensions: it does not send an identity,
/// its digests name all nodes except those that have been dead for half of the grace period, and its deltas begin with the complete state of the nodes
/// that the peer's digest does not name.
/// </summary>
sealed class ChitchatNode : SimulatedPeer
{
    const int DeltaBudget = 65_000;

    static readonly TimeSpan DeadNodeGracePeriod = TimeSpan.FromHours(24);

    static readonly GossipOptions Detection = new()
    {
        InitialHeartbeatInterval = TimeSpan.FromSeconds(5),
        MaxHeartbeatInterval = TimeSpan.FromSeconds(10),
        MinSilence = TimeSpan.Zero,
        PhiThreshold = 8,
    };

    readonly ClusterState _state;
    readonly FailureDetector _detector;
    readonly string _clusterId;
    readonly Random _random;
    readonly GossipTarget[] _seeds;

    public ChitchatNode(GossipId id, string clusterId, TimeProvider time, Random random, GossipTarget[] seeds)
        : base(id.Address)
    {
        _state = new ClusterState(id, time);
        _detector = new FailureDetector(Detection, time);
        _clusterId = clusterId;
        _random = random;
        _seeds = seeds;
    }

    public GossipId Id => _state.Self.Id;

    public int NodesNamed => CreateDigest().Entries.Count;

    public void Set(string key, string value) => _state.Self.Set(key, value);

    /// <summary>Publishes the given number of bytes, which do not compress well.</summary>
    public void Fill(int bytes)
    {
        for (var filled = 0; filled < bytes; filled += 1_000)
            Set($"filled-{filled}", Convert.ToHexString(Enumerable.Range(0, 500).Select(_ => (byte)_random.Next(256)).ToArray()));
    }

    public override GossipRound StartRound()
    {
        var others = _state.Nodes.Where(node => !node.Id.Equals(Id)).ToArray();
        var live = others.Where(node => _detector.IsAlive(node.Id)).Select(TargetOf).Distinct().ToArray();
        var targets = PeerSelection.Choose(live, [.. others.Select(TargetOf).Distinct().Except(live)], _seeds, _random);
        _state.Self.Beat();
        var syn = new GossipMessage.Syn(CreateDigest(), _clusterId);
        foreach (var node in others)
        {
            _detector.Judge(node.Id);
            if (_detector.DeadFor(node.Id) >= DeadNodeGracePeriod)
                _state.Forget(node.Id);
        }
        return new GossipRound(targets, syn);
    }

    public override GossipMessage? Handle(GossipMessage message)
    {
        _state.Self.Beat();
        switch (message)
        {
            case GossipMessage.Syn syn when syn.ClusterId != _clusterId:
                return new GossipMessage.BadCluster();
            case GossipMessage.Syn syn:
                Observe(syn.Digest);
                return new GossipMessage.SynAck(CreateDigest(), CreateDelta(syn.Digest));
            case GossipMessage.SynAck synAck:
                Observe(synAck.Digest);
                _state.Apply(synAck.Delta);
                return new GossipMessage.Ack(CreateDelta(synAck.Digest));
            case GossipMessage.Ack ack:
                _state.Apply(ack.Delta);
                return null;
            default:
                return null;
        }
    }

    void Observe(Digest digest)
    {
        foreach (var entry in digest.Entries)
            if (!entry.Id.Equals(Id) && _state.Observe(entry.Id, entry.Heartbeat))
                _detector.Report(entry.Id);
    }

    bool IsScheduledForDeletion(NodeState node) => _detector.DeadFor(node.Id) >= DeadNodeGracePeriod / 2;

    Digest CreateDigest() => new([.. _state.Nodes.Where(node => !IsScheduledForDeletion(node)).Select(node => node.ToDigestEntry())]);

    /// <summary>Creates a delta with unknown nodes first, then those with the least to send. The delta ends where an entry does not fit.</summary>
    Delta CreateDelta(Digest digest)
    {
        var known = digest.Entries.ToDictionary(entry => entry.Id);
        var stale = from node in _state.Nodes
                    where !IsScheduledForDeletion(node)
                    let entry = known.GetValueOrDefault(node.Id)
                    where node.MaxVersion > entry.MaxVersion
                    let above = node.MissingFrom(entry)
                    orderby above != 0, above == 0 ? (long)node.MaxVersion : -node.CountAbove(above)
                    select (node, above);
        var sections = new List<NodeDelta>();
        var length = 0;
        foreach (var (node, above) in stale)
        {
            var entries = new List<DeltaEntry>();
            var section = new NodeDelta(node.Id, node.LastGcVersion, above, entries);
            length += WireFormat.EncodedLength(section);
            foreach (var entry in node.EntriesAbove(above))
            {
                length += WireFormat.EncodedLength(entry);
                if (length > DeltaBudget)
                    break;
                entries.Add(entry);
            }
            if (entries.Count > 0)
                sections.Add(section);
            if (length > DeltaBudget)
                break;
        }
        return new Delta(sections);
    }

    static GossipTarget TargetOf(NodeState node) => new(node.Id.Address);
}
