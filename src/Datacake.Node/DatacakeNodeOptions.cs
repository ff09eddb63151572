using System.Net;
using Datacake.Node.Gossip;
using Datacake.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Node;

/// <summary>
/// The options of a node. Each can be set once, unless its documentation says otherwise. <see cref="DatacakeNode.StartAsync"/> refuses
/// missing and contradictory options before it opens anything.
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

    internal IReadOnlyDictionary<Type, object> ExtensionSettings => _extensionSettings;

    /// <summary>Sets the id of the node, from 0 to 255. It must be unique in the cluster and the same at every start. Required.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is not between 0 and 255.</exception>
    public DatacakeNodeOptions WithNodeId(int nodeId)
    {
        if (nodeId is < byte.MinValue or > byte.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(nodeId), nodeId, $"The node id {nodeId} is invalid. Use a number from 0 to 255.");
        Once("node id");
        NodeId = (byte)nodeId;
        return this;
    }

    /// <summary>
    /// Sets the id of the node to the number at the end of the host name, as assigned by a Kubernetes StatefulSet: <c>shop-2</c> is node 2.
    /// </summary>
    /// <param name="offset">A number to add. With 1, <c>shop-0</c> is node 1.</param>
    /// <param name="hostName">The host name, which is used up to its first dot; null for the name of this machine.</param>
    /// <exception cref="InvalidOperationException">
    /// The host name does not end with a number, or the id is not between 0 and 255.
    /// </exception>
    public DatacakeNodeOptions WithNodeIdFromHostName(int offset = 0, string? hostName = null)
        => WithNodeId(HostNodeId.Of(hostName ?? Dns.GetHostName(), offset));

    /// <summary>
    /// Sets the data center of the node: the name of a group of nodes that can fail together, such as a region or a site. Default:
    /// <c>default</c>.
    /// </summary>
    public DatacakeNodeOptions InDataCenter(string name)
    {
        CheckName(name, nameof(name));
        Once("data center");
        DataCenter = name;
        return this;
    }

    /// <summary>Sets the name of the cluster. Nodes of different clusters refuse each other. Default: <c>datacake</c>.</summary>
    public DatacakeNodeOptions WithClusterId(string clusterId)
    {
        CheckName(clusterId, nameof(clusterId));
        Once("cluster id");
        ClusterId = clusterId;
        return this;
    }

    /// <summary>
    /// Adds a label that the node publishes from its start. See <see cref="DatacakeNode.SetLabel"/>. Can be called several times.
    /// </summary>
    /// <exception cref="ArgumentException">The label was already added, has a reserved name, or is too large.</exception>
    public DatacakeNodeOptions WithLabel(string key, string value)
    {
        NodeKeys.CheckLabel(key, value);
        if (!_labels.TryAdd(key, value))
            throw new ArgumentException($"The label '{key}' is set twice. Set it once.", nameof(key));
        return this;
    }

    /// <summary>Sets the time provider of the node and its extensions. Default: <see cref="TimeProvider.System"/>.</summary>
    public DatacakeNodeOptions WithTimeProvider(TimeProvider timeProvider)
    {
        ArgumentNullException.ThrowIfNull(timeProvider);
        Once("time provider");
        TimeProvider = timeProvider;
        return this;
    }

    /// <summary>Sets the logger factory. Default: no logging.</summary>
    public DatacakeNodeOptions WithLoggerFactory(ILoggerFactory loggerFactory)
    {
        ArgumentNullException.ThrowIfNull(loggerFactory);
        Once("logger factory");
        LoggerFactory = loggerFactory;
        return this;
    }

    /// <summary>
    /// Changes the settings of an extension, which reads them with <see cref="DatacakeNode.SettingsOf{T}"/> when it starts. Can be called
    /// several times.
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

    /// <exception cref="InvalidOperationException">A required option is missing, or two options contradict each other.</exception>
    internal void Validate()
    {
        if (NodeId is null)
            throw new InvalidOperationException("The node has no id. Set an id that no other node of the cluster uses: WithNodeId(1).");
        if (ListenAddress is null)
            throw new InvalidOperationException($"Node {NodeId} has no address to listen on. Set one: ListenOn(\"127.0.0.1:7001\").");
        if (AdvertisedAddress is null && NodeAddress.IsAnyInterface(ListenAddress))
            throw new InvalidOperationException(
                $"Node {NodeId} listens on '{ListenAddress}', which stands for all interfaces, so other nodes cannot connect to it. "
                + "Set the address at which they reach it: AdvertiseAs(\"10.0.0.5:7001\").");
        if (GossipTransport == GossipTransport.Udp && Tls is not null && ClusterSecret is null)
            throw new InvalidOperationException(
                $"Node {NodeId} uses TLS, which does not cover gossip over UDP. Protect the gossip with WithClusterSecret, or use the default "
                + "GossipTransport.Rpc. GossipTransport.PlainUdp gossips without protection.");
        Gossip.Validate();
    }

    static void CheckName(string name, string parameter)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name, parameter);
        if (name.Length > MaxNameLength || name.Any(char.IsControl))
            throw new ArgumentException(
                $"The name has {name.Length} characters, or contains control characters. Use at most {MaxNameLength} printable characters.",
                parameter);
    }

    void Once(string setting)
    {
        if (!_settings.Add(setting))
            throw new InvalidOperationException($"The {setting} of the node is set twice. Set it once.");
    }
}
