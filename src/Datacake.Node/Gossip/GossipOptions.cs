using System.Globalization;

namespace Datacake.Node;

/// <summary>
/// The options of gossip, which determine how fast nodes find each other and detect failures. Start with a preset (<see cref="UseLan"/>,
/// <see cref="UseWan"/>, <see cref="UseLocal"/>), then change single values. All nodes of a cluster should use the same options.
/// </summary>
public sealed class GossipOptions
{
    /// <summary>The maximum of times that become timers, slightly below the limit of the runtime's timers.</summary>
    internal static readonly TimeSpan LongestTimer = TimeSpan.FromDays(49);

    /// <summary>Creates options with the LAN preset.</summary>
    public GossipOptions() => UseLan();

    /// <summary>
    /// Gets or sets the time between two rounds of gossip. In each round, a node talks to about four others. Lower values spread news and
    /// detect failures faster, but increase the traffic in proportion. News reaches all nodes in about log₄(nodes) + 1 rounds.
    /// LAN: 1 s; WAN: 2 s; local: 100 ms.
    /// </summary>
    public TimeSpan Interval { get; set; }

    /// <summary>
    /// Gets or sets the suspicion above which a node is declared down. The suspicion (phi) is the silence of a node divided by the mean
    /// time between its heartbeats. Higher values cause fewer false alarms, but delay the detection of failures in proportion. LAN: 8; WAN:
    /// 12; local: 8.
    /// </summary>
    public double PhiThreshold { get; set; }

    /// <summary>
    /// Gets or sets the minimum silence of a node before it is declared down, however regular its heartbeats were. It keeps short pauses
    /// (garbage collection, a busy machine) from counting as failures. LAN: 4 s; WAN: 10 s; local: 1 s.
    /// </summary>
    public TimeSpan MinSilence { get; set; }

    /// <summary>
    /// Gets or sets the assumed time between the heartbeats of a new node, which has the weight of five measured intervals. Higher values
    /// mean more patience with new nodes. LAN: 1 s; WAN: 3 s; local: 200 ms.
    /// </summary>
    public TimeSpan InitialHeartbeatInterval { get; set; }

    /// <summary>
    /// Gets or sets the longest time between two heartbeats that counts toward the mean. A longer gap is considered an outage.
    /// LAN: 10 s; WAN: 30 s; local: 2 s.
    /// </summary>
    public TimeSpan MaxHeartbeatInterval { get; set; }

    /// <summary>
    /// Gets or sets the timeout of an exchange with another node. Higher values tolerate slower links, but more exchanges are pending at
    /// the same time when nodes hang. LAN: 3 s; WAN: 8 s; local: 2 s.
    /// </summary>
    public TimeSpan ExchangeTimeout { get; set; }

    /// <summary>
    /// Gets or sets the time without incoming data after which a connection between nodes is pinged. If the same time passes again without
    /// data, the connection is closed. A connection therefore ends within twice this time after a cable is pulled. Lower values end
    /// sessions sooner after the gossip has declared a node down, but cost more pings and close connections during short pauses. LAN: 2 s;
    /// WAN: 6 s; local: 2 s.
    /// </summary>
    public TimeSpan KeepAlive { get; set; }

    /// <summary>
    /// Gets or sets the time after which a node that is down is forgotten and removed from <see cref="DatacakeNode.Members"/>. After half
    /// of this time, gossip no longer mentions the node. If this node has a store, it remembers nodes that are down across its own
    /// restarts. In a cluster with nodes of another implementation, set their grace period to the same time. Default: 24 h.
    /// </summary>
    public TimeSpan ForgetAfter { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// Gets or sets the time for which the tombstone of a removed label is kept. A node that was away for longer receives the owner's whole
    /// state again. Default: 2 h.
    /// </summary>
    public TimeSpan TombstoneLifetime { get; set; } = TimeSpan.FromHours(2);

    /// <summary>
    /// Gets or sets the time after which the host names of seeds are resolved again. While no other node is up, they are resolved at least
    /// every 5 s. Default: 60 s.
    /// </summary>
    public TimeSpan SeedResolveInterval { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Applies the default preset, for nodes in one network. Failures are detected in 5 to 10 s.</summary>
    public GossipOptions UseLan() => Set(1_000, 8, 4_000, 1_000, 10_000, 3_000, 2_000);

    /// <summary>Applies the preset for nodes that are far apart or on links that stall. Failures are detected in 10 to 30 s.</summary>
    public GossipOptions UseWan() => Set(2_000, 12, 10_000, 3_000, 30_000, 8_000, 6_000);

    /// <summary>Applies the preset for tests and samples on one machine. Failures are detected in 1 to 2 s.</summary>
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

    /// <summary>Returns the options that are out of range, each with its name and a message.</summary>
    internal IEnumerable<(string Option, string Message)> FindErrors()
    {
        if (Interval < TimeSpan.FromMilliseconds(10))
            yield return Error(nameof(Interval), Interval, "at least 10 ms");
        (string, TimeSpan)[] timers =
        [
            (nameof(InitialHeartbeatInterval), InitialHeartbeatInterval), (nameof(MaxHeartbeatInterval), MaxHeartbeatInterval),
            (nameof(ExchangeTimeout), ExchangeTimeout), (nameof(KeepAlive), KeepAlive),
        ];
        (string, TimeSpan)[] times =
            [(nameof(ForgetAfter), ForgetAfter), (nameof(TombstoneLifetime), TombstoneLifetime), (nameof(SeedResolveInterval), SeedResolveInterval)];
        foreach (var (name, value) in timers.Concat(times).Where(time => time.Item2 <= TimeSpan.Zero))
            yield return Error(name, value, "positive");
        foreach (var (name, value) in timers.Append((nameof(Interval), Interval)).Append((nameof(MinSilence), MinSilence)).Where(time => time.Item2 > LongestTimer))
            yield return Error(name, value, $"at most {LongestTimer.TotalDays:0} days");
        if (MinSilence < TimeSpan.Zero)
            yield return ($"{nameof(MinSilence)}", $"The gossip option {nameof(MinSilence)} is {MinSilence}. It cannot be negative.");
        if (!(PhiThreshold > 0))
            yield return Error(nameof(PhiThreshold), PhiThreshold, "greater than 0");
        if (MaxHeartbeatInterval < Interval && MaxHeartbeatInterval > TimeSpan.Zero)
        {
            yield return Error(
                nameof(MaxHeartbeatInterval), MaxHeartbeatInterval, $"at least {nameof(Interval)} ({Interval}); otherwise no heartbeat counts");
        }

        static (string, string) Error(string name, IFormattable value, string allowed)
            => (name, string.Create(CultureInfo.InvariantCulture, $"The gossip option {name} is {value}. It must be {allowed}."));
    }
}
