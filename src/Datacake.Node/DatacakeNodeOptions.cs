using System.Net;
using Datacake.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Node;

/// <summary>
/// The options of a node. Each can be set once. Options that are missing or contradict each other are refused by
/// <see cref="DatacakeNode.StartAsync"/> before anything is opened.
/// </summary>
public sealed partial class DatacakeNodeOptions : IStorageChoice
{
    const int MaxNameLength = 200;

    readonly HashSet<string> _settings = [];
    readonly Dictionary<string, string> _labels = [];
    readonly Dictionary<Type, object> _extensionSettings = [];

    internal byte? NodeId { get; private set; }

    internal IReadOnlyDictionary<string, string> Labels => _labels;

    internal string DataCenter { get; private set; } = "default";

    internal string ClusterId { get; private set; } = "datacake";

    internal Func<IStorage>? OpenStorage { get; private set; }

    internal TimeProvider TimeProvider { get; private set; } = TimeProvider.System;

    internal ILoggerFactory LoggerFactory { get; private set; } = NullLoggerFactory.Instance;

    internal INodeSelector NodeSelector { get; private set; } = new DataCenterAwareSelector();

    internal int? Seed { get; private set; }

    internal IReadOnlyDictionary<Type, object> ExtensionSettings => _extensionSettings;

    /// <summary>Sets the id of the node, unique in the cluster and the same at every start: 0 to 255. Required.</summary>
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
        => WithNodeId(HostNodeId.Of(hostName ?? Dns.GetHostName(), offset));

    /// <summary>Sets the data center of the node: nodes that fail together, such as a region or a site. Default: <c>default</c>.</summary>
    public DatacakeNodeOptions InDataCenter(string name)
    {
        CheckName(name, nameof(name));
        Once("data center");
        DataCenter = name;
        return this;
    }

    /// <summary>Sets the name of the cluster; nodes of different clusters refuse each other. Default: <c>datacake</c>.</summary>
    public DatacakeNodeOptions WithClusterId(string clusterId)
    {
        CheckName(clusterId, nameof(clusterId));
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

    /// <summary>Sets the clock of the node and of everything on it. Default: the system's.</summary>
    public DatacakeNodeOptions WithTimeProvider(TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(timeProvider);
        Once("time provider");
        TimeProvider = timeProvider;
        return this;
    }

    /// <summary>Sets the log. Default: none.</summary>
    public DatacakeNodeOptions WithLoggerFactory(ILoggerFactory loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(loggerFactory);
        Once("logger factory");
        LoggerFactory = loggerFactory;
        return this;
    }

    /// <summary>Sets the choice of the nodes that reads ask first. Default: <see cref="DataCenterAwareSelector"/>.</summary>
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
        if (GossipTransport == GossipTransport.Udp && Tls is not null && ClusterSecret is null)
            throw new InvalidOperationException(
                $"Node {NodeId} has TLS, which does not cover its gossip by UDP. Set WithClusterSecret, which does, or let it gossip by RPC, the default. "
                + "GossipTransport.PlainUdp gossips without protection.");
        Gossip.Validate();
    }

    static void CheckName(string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name, parameter);
        if (name.Length > MaxNameLength || name.Any(char.IsControl))
            throw new ArgumentException($"A name of {name.Length} characters is longer than {MaxNameLength}, or has control characters. Shorten it.", parameter);
    }

    void Once(string setting)
    {
        if (!_settings.Add(setting))
            throw new InvalidOperationException($"The {setting} of the node is set twice. Set it once.");
    }
}
