using System.Globalization;
using System.Net;
using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

/// <summary>
/// Gossipers on one virtual clock and a network that loses what it is told to lose. A round of each node comes once in an interval,
/// each at its own
/// moment; messages travel as bytes and arrive at once.
/// </summary>
sealed class SimulatedCluster : IDisposable
{
    readonly GossipCodec _codec = new();
    readonly Random _random;
    readonly Dictionary<IPEndPoint, SimulatedNode> _byAddress = [];
    readonly PriorityQueue<SimulatedNode, long> _schedule = new();
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

    /// <summary>Says whether two nodes are cut off from each other.</summary>
    public Func<SimulatedNode, SimulatedNode, bool> IsCut { get; set; } = (_, _) => false;

    public List<SimulatedNode> Nodes { get; } = [];

    public IEnumerable<SimulatedNode> Running => Nodes.Where(node => node.IsRunning);

    public long BytesSent { get; set; }

    public int LongestMessage { get; set; }

    public SimulatedNode Start(int nodeId, string cluster = "test", int? port = null, ulong? generation = null, params IEnumerable<SimulatedNode> seeds)
    {
        var address = new IPEndPoint(IPAddress.Loopback, port ?? 10_000 + ++_started);
        var id = new GossipId(nodeId.ToString(CultureInfo.InvariantCulture), generation ?? (ulong)Time.GetUtcNow().Ticks + (ulong)_started, address);
        var node = new SimulatedNode(new Gossiper(new GossipSettings
        {
            Self = id,
            ClusterId = cluster,
            Options = Options,
            MaxMessageLength = MaxMessageLength,
            TimeProvider = Time,
            Random = new Random(_random.Next()),
        }));
        node.Gossiper.Set("node.address", address.ToString());
        node.Gossiper.Set("node.protocol", "1");
        node.Gossiper.SetSeeds(seeds.Select(seed => new GossipTarget(seed.Id.Address)));
        Nodes.Add(node);
        _byAddress[address] = node;
        _schedule.Enqueue(node, Time.GetUtcNow().Ticks + _random.NextInt64(Options.Interval.Ticks));
        return node;
    }

    /// <summary>Starts nodes 1 to <paramref name="count"/> with the first two as seeds of all.</summary>
    public void StartMany(int count, string cluster = "test")
    {
        for (var nodeId = 1; nodeId <= count; nodeId++)
            Start(nodeId, cluster, seeds: Nodes.Take(2).ToArray());
    }

    /// <summary>A packet that no node has sent arrives. What is said in reply goes nowhere.</summary>
    public void Inject(SimulatedNode target, byte[] bytes)
    {
        if (_codec.TryDecode(bytes, out var message, out _) && target.Gossiper.Handle(message, out _) is { } reply)
            _codec.Encode(reply);
    }

    /// <summary>Lets so many intervals pass.</summary>
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

    /// <summary>Runs until something holds; returns the rounds that it took, or fails.</summary>
    public int RunUntil(Func<bool> condition, int maxRounds)
    {
        for (var round = 0; round <= maxRounds; round++)
        {
            if (condition())
                return round;
            RunRounds(1);
        }
        Assert.Fail($"Not within {maxRounds} rounds.");
        return 0;
    }

    /// <summary>True if all running nodes hold exactly these for alive.</summary>
    public bool Agree(params IEnumerable<SimulatedNode> alive)
    {
        var expected = alive.Select(node => node.Id).ToHashSet();
        return Running.All(node => expected.SetEquals(node.Alive));
    }

    void RunRound(SimulatedNode node)
    {
        var round = node.Gossiper.StartRound();
        foreach (var target in round.Targets)
            Deliver(node, target.Endpoint, round.Message);
    }

    void Deliver(SimulatedNode from, IPEndPoint target, GossipMessage message)
    {
        var bytes = _codec.Encode(message);
        BytesSent += bytes.Length;
        LongestMessage = Math.Max(LongestMessage, bytes.Length);
        if (!_byAddress.TryGetValue(target, out var to) || !to.IsRunning || IsCut(from, to) || _random.NextDouble() < Loss)
            return;
        Assert.True(_codec.TryDecode(bytes, out var received, out var error), error);
        var reply = to.Gossiper.Handle(received, out var refusal);
        if (refusal is not null)
            to.Refusals.Add(refusal);
        if (reply is not null)
            Deliver(to, from.Id.Address, reply);
    }

    public void Dispose() => _codec.Dispose();
}

sealed class SimulatedNode(Gossiper gossiper)
{
    public Gossiper Gossiper => gossiper;

    public GossipId Id => gossiper.Self.Id;

    public bool IsCrashed { get; set; }

    /// <summary>A paused process does nothing, and goes on later where it was.</summary>
    public bool IsPaused { get; set; }

    public bool IsRunning => !IsCrashed && !IsPaused;

    public List<GossipRefusal> Refusals { get; } = [];

    public IEnumerable<GossipId> Alive => gossiper.Nodes.Select(node => node.Id).Where(gossiper.IsAlive);

    /// <summary>What this node knows another to have published.</summary>
    public string? Get(SimulatedNode owner, string key)
        => gossiper.Nodes.FirstOrDefault(node => node.Id.Equals(owner.Id)) is { } state && state.TryGet(key, out var value) ? value : null;
}
