using System.Net;
using Datacake.Node.Gossip;
using Datacake.Node.Network;
using Datacake.Rpc;

namespace Datacake.Node;

// The addresses, the transport and the gossip of the node.
public sealed partial class DatacakeNodeOptions
{
    readonly List<string> _seeds = [];
    Action<RpcLimits>? _configureRpcLimits;
    bool _replacesSeeds;

    internal string? ListenAddress { get; private set; }

    internal string? AdvertisedAddress { get; private set; }

    internal IReadOnlyList<string> Seeds => _seeds;

    internal ITransport Transport { get; private set; } = TcpTransport.Default;

    internal GossipOptions Gossip { get; } = new();

    internal GossipTransport GossipTransport { get; private set; }

    internal TimeSpan MaxClockDifference { get; private set; } = TimeSpan.FromSeconds(4_100);

    internal RpcLimits RpcLimits
    {
        get
        {
            var limits = new RpcLimits { KeepAlive = Gossip.KeepAlive };
            _configureRpcLimits?.Invoke(limits);
            return limits;
        }
    }

    /// <summary>Gets or sets the resolver of host names. Tests replace it.</summary>
    internal HostResolver ResolveHost { get; set; } = Dns.GetHostAddressesAsync;

    /// <summary>
    /// Sets the address that the node listens on, for gossip and everything else, as <c>host:port</c>. Port 0 picks a free port. A host
    /// name is resolved at start and is also the name under which other nodes connect, unless <see cref="AdvertiseAs"/> sets another.
    /// Required.
    /// </summary>
    /// <exception cref="ArgumentException">The address does not have the form <c>host:port</c>.</exception>
    public DatacakeNodeOptions ListenOn(string address)
    {
        NodeAddress.Check(address, nameof(address), allowPortZero: true);
        Once("listen address");
        ListenAddress = address;
        return this;
    }

    /// <summary>
    /// Sets the address at which other nodes reach this one, if it differs from the address that the node listens on: behind a NAT, in a
    /// container, or if the node listens on all interfaces. Port 0 stands for the port that was bound. A host name must resolve to this
    /// node on every machine. Other nodes resolve it whenever they connect.
    /// </summary>
    /// <exception cref="ArgumentException">The address does not have the form <c>host:port</c>, or stands for all interfaces.</exception>
    public DatacakeNodeOptions AdvertiseAs(string address)
    {
        NodeAddress.Check(address, nameof(address), allowPortZero: true);
        if (NodeAddress.IsAnyInterface(address))
            throw new ArgumentException(
                $"'{address}' stands for all interfaces, so other nodes cannot connect to it. Advertise a single address.", nameof(address));
        Once("advertised address");
        AdvertisedAddress = address;
        return this;
    }

    /// <summary>
    /// Adds addresses at which to look for other nodes: the addresses of all nodes, or one name that resolves to all of them. The node's
    /// own address may be included. As long as the node runs, it resolves host names periodically and dials every address that they resolve
    /// to. With TLS, a node that is found at one of several addresses of a name must present a certificate for that name. Can be called
    /// several times.
    /// </summary>
    /// <exception cref="ArgumentException">An address does not have the form <c>host:port</c>.</exception>
    public DatacakeNodeOptions WithSeeds(params IEnumerable<string> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        if (_replacesSeeds)
            _seeds.Clear();
        _replacesSeeds = false;
        foreach (var address in addresses)
        {
            NodeAddress.Check(address, nameof(addresses), allowPortZero: false);
            if (!_seeds.Contains(address))
                _seeds.Add(address);
        }
        return this;
    }

    /// <summary>Sets the transport between nodes. Default: TCP.</summary>
    public DatacakeNodeOptions WithTransport(ITransport transport)
    {
        ArgumentNullException.ThrowIfNull(transport);
        Once("transport");
        Transport = transport;
        return this;
    }

    /// <summary>
    /// Changes the limits of the node's connections, as a server and as a client. Example:
    /// <c>limits => limits.KeepAlive = TimeSpan.FromSeconds(5)</c>. The initial keep-alive is that of the gossip options. Can be called
    /// several times.
    /// </summary>
    public DatacakeNodeOptions WithRpcLimits(Action<RpcLimits> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        _configureRpcLimits += configure;
        return this;
    }

    /// <summary>
    /// Changes the gossip options, which determine how fast nodes find each other and detect failures. Example:
    /// <c>gossip => gossip.UseWan()</c>. Default: the options for a local network. Can be called several times.
    /// </summary>
    public DatacakeNodeOptions WithGossip(Action<GossipOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        configure(Gossip);
        return this;
    }

    /// <summary>Sets the transport of the gossip. Default: <see cref="GossipTransport.Rpc"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The transport does not exist.</exception>
    public DatacakeNodeOptions WithGossipTransport(GossipTransport transport)
    {
        if (!Enum.IsDefined(transport))
            throw new ArgumentOutOfRangeException(nameof(transport), transport, "The gossip transport does not exist.");
        Once("gossip transport");
        GossipTransport = transport;
        return this;
    }

    /// <summary>
    /// Sets the difference between the wall clocks of two nodes beyond which they ignore each other's stamps. Higher values keep a cluster
    /// with wrong clocks together, but a node whose clock is ahead then wins conflicts by that much. Default: 4,100 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is not positive.</exception>
    public DatacakeNodeOptions WithMaxClockDifference(TimeSpan difference)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(difference, TimeSpan.Zero);
        Once("maximum clock difference");
        MaxClockDifference = difference;
        return this;
    }
}
