using System.Globalization;
using System.Net;
using Datacake.Rpc;
using Datacake.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Node;

/// <summary>
/// How a node runs. Every setting can be made once; what is missing or contradicts itself is refused by
/// <see cref="DatacakeNode.StartAsync"/> before anything is opened.
/// </summary>
public sealed class DatacakeNodeOptions : IStorageChoice
{
    const int MinSecretLength = 16;

    readonly HashSet<string> _settings = [];
    readonly List<string> _seeds = [];
    readonly Dictionary<string, string> _labels = [];
    readonly Dictionary<Type, object> _extensionSettings = [];
    Func<RpcLimits, RpcLimits> _changeRpcLimits = static limits => limits;

    internal byte? NodeId { get; private set; }

    internal string? ListenAddress { get; private set; }

    internal string? AdvertisedAddress { get; private set; }

    internal IReadOnlyList<string> Seeds => _seeds;

    internal IReadOnlyDictionary<string, string> Labels => _labels;

    internal string DataCenter { get; private set; } = "default";

    internal string ClusterId { get; private set; } = "datacake";

    internal Func<IStorage>? OpenStorage { get; private set; }

    internal ITransport Transport { get; private set; } = TcpTransport.Default;

    internal RpcTls? Tls { get; private set; }

    internal string? ClusterSecret { get; private set; }

    internal IReadOnlyList<string> AcceptedClusterSecrets { get; private set; } = [];

    internal TimeProvider TimeProvider { get; private set; } = TimeProvider.System;

    internal ILoggerFactory LoggerFactory { get; private set; } = NullLoggerFactory.Instance;

    internal GossipOptions Gossip { get; } = new();

    internal GossipTransport GossipTransport { get; private set; }

    internal INodeSelector NodeSelector { get; private set; } = new DataCenterAwareSelector();

    internal int? Seed { get; private set; }

    internal TimeSpan MaxClockDifference { get; private set; } = TimeSpan.FromSeconds(4_100);

    internal RpcLimits RpcLimits => _changeRpcLimits(new RpcLimits { KeepAlive = Gossip.KeepAlive });

    internal IReadOnlyDictionary<Type, object> ExtensionSettings => _extensionSettings;

    /// <summary>Where host names are looked up; for tests.</summary>
    internal HostResolver ResolveHost { get; set; } = Dns.GetHostAddressesAsync;

    /// <summary>The id of the node, unique in the cluster and the same at every start: 0 to 255. Required.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is not from 0 to 255.</exception>
    public DatacakeNodeOptions WithNodeId(int nodeId)
    {
        if (nodeId is < byte.MinValue or > byte.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(nodeId), nodeId, $"A node id is a number from 0 to 255; {nodeId} is not.");
        Once("node id");
        NodeId = (byte)nodeId;
        return this;
    }

    /// <summary>
    /// Takes the node id from the number at the end of the host's name, as a StatefulSet gives it: <c>shop-2</c> is node 2.
    /// </summary>
    /// <param name="offset">Added to the number; with 1, <c>shop-0</c> is node 1.</param>
    /// <param name="hostName">The name of the host, up to its first dot; null for that of this machine.</param>
    /// <exception cref="InvalidOperationException">The name does not end with a number, or the id is not from 0 to 255.</exception>
    public DatacakeNodeOptions WithNodeIdFromHostName(int offset = 0, string? hostName = null)
    {
        hostName ??= Dns.GetHostName();
        var label = hostName.Split('.')[0];
        var digits = label[label.TrimEnd("0123456789".ToCharArray()).Length..];
        if (digits.Length == 0)
        {
            throw new InvalidOperationException(
                $"The host name '{hostName}' does not end with a number, as 'shop-2' does, so that it gives no node id. Set one with WithNodeId.");
        }

        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) || ordinal + offset is < 0 or > byte.MaxValue)
        {
            throw new InvalidOperationException(
                $"The host name '{hostName}' gives the node id {digits} with an offset of {offset}, which is not from 0 to 255. "
                + "Choose another offset, or set the id with WithNodeId.");
        }

        return WithNodeId((int)ordinal + offset);
    }

    /// <summary>
    /// The one address that the node listens at, for gossip and everything else: <c>host:port</c>; port 0 picks a free one. A host name is looked up at
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
    /// The address that other nodes reach this one at, where it isn't the one it listens at: behind a NAT, in a container, or when it
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
    /// Where to look for other nodes: a few of the longest-lived ones, or one name that stands for all; the node's own address among them does
    /// no harm. Host names are resolved again and again, and every address that they stand for is dialed, for as long as the node runs. With TLS, a node that is
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

    /// <summary>The data centre that the node is in: what fails together, such as a region or a site. Default: <c>default</c>.</summary>
    public DatacakeNodeOptions InDataCenter(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Once("data centre");
        DataCenter = name;
        return this;
    }

    /// <summary>The name of the cluster; nodes of different clusters refuse each other. Default: <c>datacake</c>.</summary>
    public DatacakeNodeOptions WithClusterId(string clusterId)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(clusterId);
        Once("cluster id");
        ClusterId = clusterId;
        return this;
    }

    /// <summary>Publishes a small text with the node; see <see cref="DatacakeNode.SetLabel"/>.</summary>
    /// <exception cref="ArgumentException">The label was given already, or is reserved.</exception>
    public DatacakeNodeOptions WithLabel(string key, string value)
    {
        NodeKeys.CheckLabel(key, value);
        if (!_labels.TryAdd(key, value))
            throw new ArgumentException($"The label '{key}' was given already.", nameof(key));
        return this;
    }

    /// <summary>How bytes travel between nodes. Default: TCP.</summary>
    public DatacakeNodeOptions WithTransport(ITransport transport)
    {
        ArgumentNullException.ThrowIfNull(transport);
        Once("transport");
        Transport = transport;
        return this;
    }

    /// <summary>
    /// Encrypts what nodes say to each other over RPC, with the node's own certificate, which it shows as server and as client. Set <see
    /// cref="RpcTls.RequireClientCertificate"/> so that only nodes with a certificate get in. Gossip over UDP is not covered. Default:
    /// none.
    /// </summary>
    /// <exception cref="ArgumentException">There is no certificate, or it has no private key.</exception>
    public DatacakeNodeOptions WithTls(RpcTls tls)
    {
        ArgumentNullException.ThrowIfNull(tls);
        if (tls is { Certificate: null, CertificateCallback: null, CertificateFile: null } || tls.Certificate is { HasPrivateKey: false })
        {
            throw new ArgumentException(
                "A node that speaks TLS needs a certificate with its private key: set Certificate, CertificateFile or CertificateCallback.",
                nameof(tls));
        }

        Once("TLS");
        Tls = tls;
        return this;
    }

    /// <summary>
    /// What all nodes of the cluster know and nobody else: a node without it gets no answer but a refusal. It never travels, and does not
    /// encrypt; that is what <see cref="WithTls"/> is for. Gossip over UDP is not covered. At least 16 characters. Default: none.
    /// </summary>
    /// <exception cref="ArgumentException">The secret is too short.</exception>
    public DatacakeNodeOptions WithClusterSecret(string secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        if (secret.Length < MinSecretLength)
        {
            throw new ArgumentException(
                $"The cluster secret has {secret.Length} characters; it needs at least {MinSecretLength}. Take 32 random ones.",
                nameof(secret));
        }

        Once("cluster secret");
        ClusterSecret = secret;
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

    /// <summary>
    /// Further secrets that the node accepts from others, so that the secret can be changed node by node: first all nodes accept the new one, then all use it
    /// (<see cref="WithClusterSecret"/>) and accept the old one, then nobody accepts that any more. Default: none.
    /// </summary>
    /// <exception cref="ArgumentException">A secret is too short.</exception>
    public DatacakeNodeOptions WithAcceptedClusterSecrets(params IEnumerable<string> secrets)
    {
        ArgumentNullException.ThrowIfNull(secrets);
        string[] accepted = [.. secrets];
        if (accepted.Any(secret => secret.Length < MinSecretLength))
            throw new ArgumentException($"A cluster secret needs at least {MinSecretLength} characters. Take 32 random ones.", nameof(secrets));
        Once("accepted cluster secrets");
        AcceptedClusterSecrets = accepted;
        return this;
    }

    /// <summary>The clock that everything on the node runs by. Default: the system's.</summary>
    public DatacakeNodeOptions WithTimeProvider(TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(timeProvider);
        Once("time provider");
        TimeProvider = timeProvider;
        return this;
    }

    /// <summary>Where the node logs to. Default: nowhere.</summary>
    public DatacakeNodeOptions WithLoggerFactory(ILoggerFactory loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(loggerFactory);
        Once("logger factory");
        LoggerFactory = loggerFactory;
        return this;
    }

    /// <summary>
    /// How fast nodes find each other and notice failures: <c>gossip => gossip.UseWan()</c>. Default: for a local network.
    /// </summary>
    public DatacakeNodeOptions WithGossip(Action<GossipOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        configure(Gossip);
        return this;
    }

    /// <summary>What carries the gossip. Default: <see cref="GossipTransport.Rpc"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such transport.</exception>
    public DatacakeNodeOptions WithGossipTransport(GossipTransport transport)
    {
        if (!Enum.IsDefined(transport))
            throw new ArgumentOutOfRangeException(nameof(transport), transport, "There is no such gossip transport.");
        Once("gossip transport");
        GossipTransport = transport;
        return this;
    }

    /// <summary>Chooses the nodes that reads ask first. Default: <see cref="DataCenterAwareSelector"/>.</summary>
    public DatacakeNodeOptions WithNodeSelector(INodeSelector selector)
    {
        ArgumentNullException.ThrowIfNull(selector);
        Once("node selector");
        NodeSelector = selector;
        return this;
    }

    /// <summary>Makes the node's random choices repeatable, for tests. Default: unpredictable.</summary>
    public DatacakeNodeOptions WithSeed(int seed)
    {
        Once("seed");
        Seed = seed;
        return this;
    }

    /// <summary>
    /// Changes the settings of an extension, which finds them by <see cref="DatacakeNode.SettingsOf{T}"/> when it starts. Can be called several times.
    /// </summary>
    public DatacakeNodeOptions WithExtensionSettings<T>(Action<T> configure)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(configure);
        if (!_extensionSettings.TryGetValue(typeof(T), out object? settings))
            _extensionSettings.Add(typeof(T), settings = new T());
        configure((T)settings);
        return this;
    }

    /// <inheritdoc/>
    public void UseStorage(Func<IStorage> open)
    {
        ArgumentNullException.ThrowIfNull(open);
        Once("storage");
        OpenStorage = open;
    }

    /// <exception cref="InvalidOperationException">Something is missing or contradicts itself.</exception>
    internal void Validate()
    {
        if (NodeId is null)
            throw new InvalidOperationException("The node has no id. Give it one that no other node of the cluster has: WithNodeId(1).");
        if (ListenAddress is null)
            throw new InvalidOperationException($"Node {NodeId} has no address to listen at. Give it one: ListenOn(\"127.0.0.1:7001\").");
        if (AdvertisedAddress is null && NodeAddress.IsAnyInterface(ListenAddress))
            throw new InvalidOperationException(
                $"Node {NodeId} listens at '{ListenAddress}', which stands for all interfaces; others cannot connect to that. "
                + "Say where they reach it: AdvertiseAs(\"10.0.0.5:7001\").");
        Gossip.Validate();
    }

    void Once(string setting)
    {
        if (!_settings.Add(setting))
            throw new InvalidOperationException($"The {setting} of the node is set twice. Set it once.");
    }
}
