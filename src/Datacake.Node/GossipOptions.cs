namespace Datacake.Node;

/// <summary>
/// The speed at which nodes find each other and notice failures. Begin with a preset (<see cref="UseLan"/>, <see cref="UseWan"/>,
/// <see cref="UseLocal"/>) and change single values after it. All nodes of a cluster should have the same.
/// </summary>
public sealed class GossipOptions
{
    /// <summary>A little less than what a timer of the runtime takes.</summary>
    internal static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    /// <summary>Creates options of the LAN preset.</summary>
    public GossipOptions() => UseLan();

    /// <summary>
    /// Gets or sets the time between two rounds; in each, a node talks to about four others. Shorter: news and failures spread faster; costs traffic in
    /// proportion. News reach everyone in about log₄(nodes) + 1 rounds. LAN: 1 s; WAN: 2 s; local: 100 ms.
    /// </summary>
    public TimeSpan Interval { get; set; }

    /// <summary>
    /// Gets or sets the suspicion (phi, the silence of a node divided by the mean time between its signs of life) from which a node is held to be down.
    /// Higher: fewer false alarms; a failure is noticed later in proportion. 8 on all presets but WAN, 12 there.
    /// </summary>
    public double PhiThreshold { get; set; }

    /// <summary>
    /// Gets or sets the time that a node is silent at least before it is held to be down, however regular it was: keeps short pauses (garbage
    /// collection, a busy machine) from being failures. LAN: 4 s; WAN: 10 s; local: 1 s.
    /// </summary>
    public TimeSpan MinSilence { get; set; }

    /// <summary>
    /// Gets or sets the time between signs of life that is assumed of a node just met; weighs as five measured ones. Longer: more patience with new
    /// nodes. LAN: 1 s; WAN: 3 s; local: 200 ms.
    /// </summary>
    public TimeSpan InitialHeartbeatInterval { get; set; }

    /// <summary>
    /// Gets or sets the longest gap between signs of life that is not an outage: a longer one does not enter into the mean. LAN: 10 s; WAN: 30 s; local: 2 s.
    /// </summary>
    public TimeSpan MaxHeartbeatInterval { get; set; }

    /// <summary>
    /// Gets or sets the time that one exchange with another node may take. Longer: survives slower links; more exchanges are under way at a time when nodes
    /// hang. LAN: 3 s; WAN: 8 s; local: 2 s.
    /// </summary>
    public TimeSpan ExchangeTimeout { get; set; }

    /// <summary>
    /// Gets or sets the time without a byte after which a connection between nodes is pinged; after the same time again it is lost, so that it ends within
    /// twice this time after a pulled cable. Shorter: sessions end soon after the gossip has found a node down; costs more pings, and a connection does
    /// not outlive a short pause. LAN: 2 s; WAN: 6 s; local: 2 s.
    /// </summary>
    public TimeSpan KeepAlive { get; set; }

    /// <summary>
    /// Gets or sets the time for which a node that is down is remembered, across restarts too if this one has a store. After half of it, it is no longer spoken
    /// of; after all of it, it is forgotten and leaves <see cref="DatacakeNode.Members"/>. In a cluster with nodes of another implementation, set the grace
    /// period there to the same. Default: 24 h.
    /// </summary>
    public TimeSpan ForgetAfter { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// Gets or sets the time for which the tombstone of a removed label is kept. A node that was away for longer gets the whole state of the owner anew.
    /// Default: 2 h.
    /// </summary>
    public TimeSpan TombstoneLifetime { get; set; } = TimeSpan.FromHours(2);

    /// <summary>Gets or sets the time after which the host names of seeds are resolved again. Default: 60 s; 5 s while no other node is up.</summary>
    public TimeSpan SeedResolveInterval { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Sets the preset for nodes in one network, the default: a failure is noticed in 5 to 10 s.</summary>
    public GossipOptions UseLan() => Set(1_000, 8, 4_000, 1_000, 10_000, 3_000, 2_000);

    /// <summary>Sets the preset for nodes that are far apart or on links that stall: a failure is noticed in 10 to 30 s.</summary>
    public GossipOptions UseWan() => Set(2_000, 12, 10_000, 3_000, 30_000, 8_000, 6_000);

    /// <summary>Sets the preset for tests and samples on one machine: a failure is noticed in 1 to 2 s.</summary>
    public GossipOptions UseLocal() => Set(100, 8, 1_000, 200, 2_000, 2_000, 2_000);

    GossipOptions Set(int interval, double phi, int minSilence, int initialHeartbeat, int maxHeartbeat, int exchangeTimeout, int keepAlive)
    {
        Interval = TimeSpan.FromMilliseconds(interval);
        PhiThreshold = phi;
        MinSilence = TimeSpan.FromMilliseconds(minSilence);
        InitialHeartbeatInterval = TimeSpan.FromMilliseconds(initialHeartbeat);
        MaxHeartbeatInterval = TimeSpan.FromMilliseconds(maxHeartbeat);
        ExchangeTimeout = TimeSpan.FromMilliseconds(exchangeTimeout);
        KeepAlive = TimeSpan.FromMilliseconds(keepAlive);
        return this;
    }

    /// <exception cref="InvalidOperationException">A value makes no sense.</exception>
    internal void Validate()
    {
        if (Interval < TimeSpan.FromMilliseconds(10))
            throw new InvalidOperationException($"The gossip option {nameof(Interval)} is {Interval}; it must be at least 10 ms.");
        Timer(Interval, nameof(Interval));
        Timer(InitialHeartbeatInterval, nameof(InitialHeartbeatInterval));
        Timer(MaxHeartbeatInterval, nameof(MaxHeartbeatInterval));
        Timer(ExchangeTimeout, nameof(ExchangeTimeout));
        Timer(KeepAlive, nameof(KeepAlive));
        Positive(ForgetAfter, nameof(ForgetAfter));
        Positive(TombstoneLifetime, nameof(TombstoneLifetime));
        Positive(SeedResolveInterval, nameof(SeedResolveInterval));
        if (MinSilence < TimeSpan.Zero)
            throw new InvalidOperationException($"The gossip option {nameof(MinSilence)} is {MinSilence}; it cannot be negative.");
        if (MinSilence > LongestTimer)
            throw TooLong(MinSilence, nameof(MinSilence));
        if (!(PhiThreshold > 0))
            throw new InvalidOperationException($"The gossip option {nameof(PhiThreshold)} is {PhiThreshold}; it must be above 0.");
        if (MaxHeartbeatInterval < Interval)
            throw new InvalidOperationException(
                $"The gossip option {nameof(MaxHeartbeatInterval)} ({MaxHeartbeatInterval}) is shorter than a round ({Interval}), "
                + "so that no heartbeat would count.");
    }

    static void Timer(TimeSpan value, string name)
    {
        Positive(value, name);
        if (value > LongestTimer)
            throw TooLong(value, name);
    }

    static InvalidOperationException TooLong(TimeSpan value, string name)
        => new($"The gossip option {name} is {value}; it must be at most {LongestTimer.TotalDays:0} days.");

    static void Positive(TimeSpan value, string name)
    {
        if (value <= TimeSpan.Zero)
            throw new InvalidOperationException($"The gossip option {name} is {value}; it must be a positive time.");
    }
}
