using System.Net;
using Datacake.Node.Gossip;
using Datacake.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Node;

/// <summary>
/// The options of a node. Each can be set once, unless its documentation says otherwise. <see cref="DatacakeNode.StartAsync"/> refuses
/// missing and contradictory options before it opens anything, and names all of them.
/// </summary>
public sealed partial class DatacakeNodeOptions : IStorageChoice
{
    const int MaxNameLength = 200;

    readonly HashSet<string> _settings = [];
    readonly Dictionary<string, string> _labels = [];
    readonly Dictionary<Type, object> _extensionSettings = [];
    readonly List<StorageKind> _storageKinds = [StorageKind.Memory];
    readonly List<(string Setting, string Error)> _errors = [];
    HashSet<string> _replaceableLabels = [];

    internal byte? NodeId { get; private set; }

    internal IReadOnlyDictionary<string, string> Labels => _labels;

    internal string DataCenter { get; private set; } = "default";

    internal string ClusterId { get; private set; } = "datacake";

    internal Func<IStorage>? OpenStorage { get; private set; }

    internal IReadOnlyList<StorageKind> StorageKinds => _storageKinds;

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
        if (_replaceableLabels.Remove(key))
            _labels[key] = value;
        else if (!_labels.TryAdd(key, value))
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

    /// <inheritdoc/>
    public void AddKind(StorageKind kind)
    {
        ArgumentNullException.ThrowIfNull(kind);
        _storageKinds.RemoveAll(known => known.Name == kind.Name);
        _storageKinds.Add(kind);
    }

    /// <summary>
    /// Lets the following calls replace everything that is set so far: single options, labels by their names, and the list of seeds as a
    /// whole. Used between configurations of different origin, of which the later ones win.
    /// </summary>
    internal void AllowReplacing()
    {
        _settings.Clear();
        _replacesSeeds = true;
        _replaceableLabels = [.. _labels.Keys];
    }

    /// <summary>Records an error in the settings, with which the node will not start.</summary>
    /// <param name="setting">The name of the setting. An option with which this name begins does not count as missing then.</param>
    /// <param name="error">What is wrong, and what to do.</param>
    internal void Refuse(string setting, string error) => _errors.Add((setting, error));

    /// <exception cref="InvalidOperationException">
    /// Required options are missing, options contradict each other, or settings are invalid. The message names all of them.
    /// </exception>
    internal void Validate()
    {
        string[] errors = [.. _errors.Select(error => error.Error), .. FindContradictions()];
        if (errors.Length > 0)
            throw new InvalidOperationException(errors.Length == 1 ? errors[0] : $"The node has {errors.Length} invalid settings.\n- {string.Join("\n- ", errors)}");
    }

    IEnumerable<string> FindContradictions()
    {
        string node = NodeId is null ? "The node" : $"Node {NodeId}";
        if (NodeId is null && !IsRefused("NodeId"))
            yield return "The node has no id. Set an id that no other node of the cluster uses: WithNodeId(1), or NodeId in the configuration.";
        if (ListenAddress is null && !IsRefused("ListenOn"))
            yield return $"{node} has no address to listen on. Set one: ListenOn(\"127.0.0.1:7001\"), or ListenOn in the configuration.";
        if (AdvertisedAddress is null && ListenAddress is not null && NodeAddress.IsAnyInterface(ListenAddress) && !IsRefused("AdvertiseAs"))
        {
            yield return $"{node} listens on '{ListenAddress}', which stands for all interfaces, so other nodes cannot connect to it. "
                + "Set the address at which they reach it: AdvertiseAs(\"10.0.0.5:7001\").";
        }
        if (GossipTransport == GossipTransport.Udp && Tls is not null && ClusterSecret is null && !IsRefused("ClusterSecret"))
        {
            yield return $"{node} uses TLS, which does not cover gossip over UDP. Protect the gossip with WithClusterSecret, or use the default "
                + "GossipTransport.Rpc. GossipTransport.PlainUdp gossips without protection.";
        }
        foreach (var error in Gossip.FindErrors())
            yield return error.Message;
        if (FindLimitError() is { } limits)
            yield return limits.Message;
        if (ErrorOf(() => Tls?.Check(isServer: true)) is { } tls)
            yield return tls.Message;

        bool IsRefused(string setting) => _errors.Any(error => error.Setting.StartsWith(setting, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Returns the error of the first limit that is out of range, or null if there is none.</summary>
    internal ArgumentException? FindLimitError() => ErrorOf(RpcLimits.Check);

    /// <summary>Returns the error of a check, or null if it passes.</summary>
    static ArgumentException? ErrorOf(Action check)
    {
        try
        {
            check();
            return null;
        }
        catch (ArgumentException error)
        {
            return error;
        }
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
