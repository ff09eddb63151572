using System.Globalization;
using System.Net;
using Datacake.Node.Gossip;
using Datacake.Node.Membership;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Node.Tests;

/// <summary>
/// Gossipers on one virtual clock and a network that loses messages on demand. Each node has one round per interval, each at a different moment.
/// Messages travel as bytes and arrive at once.
/// </summary>
sealed class SimulatedCluster : IDisposable
{
    readonly GossipCodec _codec = new();
    readonly Random _random;
    readonly Dictionary<string, SimulatedPeer> _byAddress = [];
    readonly PriorityQueue<SimulatedPeer, long> _schedule = new();
    int _started;

    public SimulatedCluster(int seed, int maxMessageLength = 65_507)
    {
        _random = new Random(seed);
        MaxMessageLength = maxMessageLength;
    }

    public VirtualTime Time { get; } = new();

    public GossipOptions Options { get; } = new();

    public int MaxMessageLength { get; }

    public double Loss { get; set; }

    /// <summary>Gets whether a store counts as retired only with a proof, so that the word of another node is not enough.</summary>
    public bool RetirementNeedsProof { get; init; }

    /// <summary>Gets or sets the function that returns true if two nodes are cut off from each other.</summary>
    public Func<SimulatedPeer, SimulatedPeer, bool> IsCut { get; set; } = (_, _) => false;

    public List<SimulatedNode> Nodes { get; } = [];

    public IEnumerable<SimulatedNode> Running => Nodes.Where(node => node.IsRunning);

    public long BytesSent { get; set; }

    public int LongestMessage { get; set; }

    /// <param name="nodeId">The node id.</param>
    /// <param name="cluster">The cluster.</param>
    /// <param name="port">The port of an earlier run, or null for a new one.</param>
    /// <param name="generation">The generation, or null to use the time.</param>
    /// <param name="identity">The address that the node's name resolves to on its own machine, or null for the address at which others reach it.</param>
    /// <param name="seeds">The seeds of the node.</param>
    public SimulatedNode Start(
        int nodeId, string cluster = "test", int? port = null, ulong? generation = null, IPEndPoint? identity = null, params IEnumerable<SimulatedPeer> seeds)
    {
        var address = new IPEndPoint(IPAddress.Loopback, port ?? 10_000 + ++_started);
        var id = new GossipId(
            nodeId.ToString(CultureInfo.InvariantCulture),
            generation ?? (ulong)Time.GetUtcNow().Ticks + (ulong)++_started,
            identity ?? address);
        var node = new SimulatedNode(new Gossiper(new GossipSettings
        {
            Self = id,
            ClusterId = cluster,
            Options = Options,
            RetirementNeedsProof = RetirementNeedsProof,
            MaxMessageLength = MaxMessageLength,
            TimeProvider = Time,
            Random = new Random(_random.Next()),
        }), address);
        node.Gossiper.Set("node.address", address.ToString());
        node.Gossiper.Set("node.protocol", "1");
        node.Gossiper.SetSeeds(seeds.Select(seed => new GossipTarget(seed.Address)));
        Nodes.Add(node);
        Add(node);
        return node;
    }

    /// <summary>Starts a node of another implementation, which behaves like chitchat.</summary>
    public ChitchatNode StartChitchat(string name, int? port = null, params IEnumerable<SimulatedPeer> seeds)
    {
        var address = new IPEndPoint(IPAddress.Loopback, port ?? 10_000 + ++_started);
        var id = new GossipId(name, (ulong)Time.GetUtcNow().Ticks + (ulong)++_started, address);
        var node = new ChitchatNode(id, "test", Time, new Random(_random.Next()), [.. seeds.Select(seed => new GossipTarget(seed.Address))]);
        Add(node);
        return node;
    }

    void Add(SimulatedPeer peer)
    {
        _byAddress[peer.Address.ToString()] = peer;
        _schedule.Enqueue(peer, Time.GetUtcNow().Ticks + _random.NextInt64(Options.Interval.Ticks));
    }

    /// <summary>Starts nodes 1 to <paramref name="count"/>. The first two are the seeds of all.</summary>
    public void StartMany(int count, string cluster = "test")
    {
        for (var nodeId = 1; nodeId <= count; nodeId++)
            Start(nodeId, cluster, seeds: Nodes.Take(2).ToArray());
    }

    /// <summary>Delivers a packet that no node has sent. The reply is discarded.</summary>
    public void Inject(SimulatedNode target, byte[] bytes)
    {
        if (_codec.TryDecode(bytes, out var message, out _) && target.Gossiper.Handle(message, out _) is { } reply)
            _codec.Encode(reply);
    }

    /// <summary>Lets the given number of intervals pass.</summary>
    public void RunRounds(double rounds) => Run(Options.Interval * rounds);

    public void Run(TimeSpan duration)
    {
        var end = Time.GetUtcNow().Ticks + duration.Ticks;
        while (_schedule.TryPeek(out var node, out var due) && due <= end)
        {
            _schedule.Dequeue();
            Time.Advance(TimeSpan.FromTicks(due - Time.GetUtcNow().Ticks));
            if (node.IsCrashed)
                continue;
            _schedule.Enqueue(node, due + Options.Interval.Ticks);
            if (node.IsRunning)
                RunRound(node);
        }
        Time.Advance(TimeSpan.FromTicks(end - Time.GetUtcNow().Ticks));
    }

    /// <summary>Runs until a condition is true and returns the number of rounds, or fails.</summary>
    public int RunUntil(Func<bool> condition, int maxRounds)
    {
        for (var round = 0; round <= maxRounds; round++)
        {
            if (condition())
                return round;
            RunRounds(1);
        }
        Assert.Fail($"The condition did not become true within {maxRounds} rounds.");
        return 0;
    }

    /// <summary>Returns true if all running nodes consider exactly the given nodes alive.</summary>
    public bool Agree(params IEnumerable<SimulatedNode> alive)
    {
        var expected = alive.Select(node => node.Id).ToHashSet();
        return Running.All(node => expected.SetEquals(node.Alive));
    }

    /// <summary>Lets a node open an exchange with each of the targets, outside its rounds.</summary>
    public void Exchange(SimulatedNode node, IEnumerable<GossipTarget> targets)
    {
        foreach (var target in targets)
            Deliver(node, target.Address, node.Gossiper.CreateSyn());
    }

    void RunRound(SimulatedPeer peer)
    {
        var round = peer.StartRound();
        foreach (var target in round.Targets)
            Deliver(peer, target.Address, round.Message);
    }

    void Deliver(SimulatedPeer from, string target, GossipMessage message)
    {
        var bytes = _codec.Encode(message);
        BytesSent += bytes.Length;
        LongestMessage = Math.Max(LongestMessage, bytes.Length);
        if (!_byAddress.TryGetValue(target, out var to) || !to.IsRunning || IsCut(from, to) || _random.NextDouble() < Loss)
            return;
        Assert.True(_codec.TryDecode(bytes, out var received, out var error), error);
        if (to.Handle(received) is { } reply)
            Deliver(to, from.Address.ToString(), reply);
    }

    public void Dispose() => _codec.Dispose();
}

/// <summary>A process of any implementation that gossips.</summary>
abstract class SimulatedPeer(IPEndPoint address)
{
    /// <summary>Gets the address at which others reach the process.</summary>
    public IPEndPoint Address => address;

    public bool IsCrashed { get; set; }

    /// <summary>Gets or sets whether the process is paused. A paused process does nothing and later continues where it stopped.</summary>
    public bool IsPaused { get; set; }

    public bool IsRunning => !IsCrashed && !IsPaused;

    public abstract GossipRound StartRound();

    public abstract GossipMessage? Handle(GossipMessage message);
}

sealed class SimulatedNode(Gossiper gossiper, IPEndPoint address) : SimulatedPeer(address)
{
    public Gossiper Gossiper => gossiper;

    public GossipId Id => gossiper.Self.Id;

    public List<GossipRefusal> Refusals { get; } = [];

    public IEnumerable<GossipId> Alive => gossiper.Nodes.Select(node => node.Id).Where(gossiper.IsAlive);

    /// <summary>Gets the members as this node shows them.</summary>
    public IReadOnlyList<ClusterMember> Members
    {
        get
        {
            var view = new MembershipView(NullLogger.Instance);
            view.Update(gossiper);
            return view.Members;
        }
    }

    public MemberState? StateOf(int nodeId) => Members.SingleOrDefault(member => member.NodeId == nodeId)?.State;

    /// <summary>Lets the node announce that it leaves, and stops it.</summary>
    public void Leave(SimulatedCluster cluster)
    {
        gossiper.Set(NodeKeys.State, NodeKeys.Left);
        cluster.Exchange(this, gossiper.FarewellTargets());
        IsCrashed = true;
    }

    /// <summary>Returns the value of a key that another node has published, as this node knows it.</summary>
    public string? Get(SimulatedNode owner, string key) => Get(owner.Id, key);

    public string? Get(GossipId owner, string key)
        => gossiper.Nodes.FirstOrDefault(node => node.Id.Equals(owner)) is { } state && state.TryGet(key, out var value) ? value : null;

    public override GossipRound StartRound() => gossiper.StartRound();

    public override GossipMessage? Handle(GossipMessage message)
    {
        var reply = gossiper.Handle(message, out var refusal);
        if (refusal is not null)
            Refusals.Add(refusal);
        return reply;
    }
}
