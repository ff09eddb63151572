using System.Net;
using Datacake.Rpc;

namespace Datacake.Node;

// The addresses, the transport and the gossip of the node.
public sealed partial class DatacakeNodeOptions
{
    readonly List<string> _seeds = [];
    Func<RpcLimits, RpcLimits> _changeRpcLimits = static limits => limits;

    internal string? ListenAddress { get; private set; }

    internal string? AdvertisedAddress { get; private set; }

    internal IReadOnlyList<string> Seeds => _seeds;

    internal ITransport Transport { get; private set; } = TcpTransport.Default;

    internal GossipOptions Gossip { get; } = new();

    internal GossipTransport GossipTransport { get; private set; }

    internal TimeSpan MaxClockDifference { get; private set; } = TimeSpan.FromSeconds(4_100);

    internal RpcLimits RpcLimits => _changeRpcLimits(new RpcLimits { KeepAlive = Gossip.KeepAlive });

    /// <summary>Gets or sets the lookup of host names; for tests.</summary>
    internal HostResolver ResolveHost { get; set; } = Dns.GetHostAddressesAsync;

    /// <summary>
    /// Sets the one address that the node listens at, for gossip and everything else: <c>host:port</c>; port 0 picks a free one. A host name is looked up at
    /// start, and is also what others call the node by, unless <see cref="AdvertiseAs"/> says otherwise. Required.
    /// </summary>
    /// <exception cref="ArgumentException">The address is not of that form.</exception>
    public DatacakeNodeOptions ListenOn(string address)
    {
        NodeAddress.Check(address, nameof(address), allowPortZero: true);
        Once("listen address");
        ListenAddress = address;
        return this;
    }

    /// <summary>
    /// Sets the address at which other nodes reach this one, if it is not the one that the node listens at: behind a NAT, in a container, or when the node
    /// listens on all interfaces. Port 0 stands for the port that was bound. A host name must mean this node on every machine; others look it up
    /// whenever they connect.
    /// </summary>
    /// <exception cref="ArgumentException">The address is not of the form <c>host:port</c>, or stands for all interfaces.</exception>
    public DatacakeNodeOptions AdvertiseAs(string address)
    {
        NodeAddress.Check(address, nameof(address), allowPortZero: true);
        if (NodeAddress.IsAnyInterface(address))
            throw new ArgumentException(
                $"'{address}' stands for all interfaces; nobody can connect to that. Advertise one address.", nameof(address));
        Once("advertised address");
        AdvertisedAddress = address;
        return this;
    }

    /// <summary>
    /// Adds addresses at which to look for other nodes: those of all nodes, or one name that stands for all; the node's own address may be among
    /// them. Host names are resolved again and again, and every address that they stand for is dialed, for as long as the node runs. With TLS, a node that is
    /// found at one of several addresses of a name must show a certificate for that name. Can be called several times.
    /// </summary>
    /// <exception cref="ArgumentException">An address is not of the form <c>host:port</c>.</exception>
    public DatacakeNodeOptions WithSeeds(params IEnumerable<string> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
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
    /// Changes the limits of the node's connections, as server and as client: <c>limits => limits with { KeepAlive = TimeSpan.FromSeconds(5)
    /// }</c>. The keep-alive that the change is given is that of the gossip options. Can be called several times.
    /// </summary>
    public DatacakeNodeOptions WithRpcLimits(Func<RpcLimits, RpcLimits> change)
    {
        ArgumentNullException.ThrowIfNull(change);
        var before = _changeRpcLimits;
        _changeRpcLimits = limits => change(before(limits));
        return this;
    }

    /// <summary>
    /// Sets how fast nodes find each other and notice failures: <c>gossip => gossip.UseWan()</c>. Default: for a local network.
    /// </summary>
    public DatacakeNodeOptions WithGossip(Action<GossipOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        configure(Gossip);
        return this;
    }

    /// <summary>Sets the transport of the gossip. Default: <see cref="GossipTransport.Rpc"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such transport.</exception>
    public DatacakeNodeOptions WithGossipTransport(GossipTransport transport)
    {
        if (!Enum.IsDefined(transport))
            throw new ArgumentOutOfRangeException(nameof(transport), transport, "There is no such gossip transport.");
        Once("gossip transport");
        GossipTransport = transport;
        return this;
    }

    /// <summary>
    /// Sets how far the wall clocks of two nodes may differ until they stop following each other's stamps. Longer: a cluster with wrong clocks
    /// stays together; whoever is ahead wins conflicts by as much. Default: 4,100 s.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is not positive.</exception>
    public DatacakeNodeOptions WithMaxClockDifference(TimeSpan difference)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(difference, TimeSpan.Zero);
        Once("greatest clock difference");
        MaxClockDifference = difference;
        return this;
    }
}
