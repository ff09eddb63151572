using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using Datacake.Administration.Backups;
using Datacake.Administration.Contracts;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Options;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Administration;

/// <summary>
/// The administration of a node: its status, its data, and what operators can change. Runs on the node's own port, with its TLS, secret and limits. An
/// <see cref="AdministrationClient"/> calls it. Thread-safe.
/// </summary>
public sealed class NodeAdministration : IAsyncDisposable
{
    /// <summary>The label of a member with the version that it runs.</summary>
    internal const string VersionLabel = "datacake.version";

    /// <summary>The label of a member with the number of nodes that it expects, so that a difference is found.</summary>
    internal const string ExpectedNodesLabel = "datacake.expected-nodes";

    internal const int MaxListed = 1_000;

    static readonly string Version = typeof(NodeAdministration).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";

    readonly ReplicatedStore _store;
    readonly AdministrationOptions _options;
    readonly LogBuffer _logs;
    readonly long _started;
    readonly FindingMetrics _metrics;
    readonly ILogger _logger;
    readonly ConcurrentDictionary<ReplicatedStore, BackupWriter> _writers = new();
    readonly StoreBackups? _backups;            // null if no backups are scheduled

    internal NodeAdministration(ReplicatedStore store, AdministrationOptions options, BackupOptions backups)
    {
        options.Validate();
        backups.Validate();
        _store = store;
        _options = options;
        var node = store.Node;
        _started = node.TimeProvider.GetTimestamp();
        _logs = new LogBuffer(options.LogLines, node.TimeProvider);
        _logger = node.LoggerFactory.CreateLogger<NodeAdministration>();
        // Named stores may be opened later.
        if (backups.IsOn && store.Storage is not IDurableStorage && node.OpenStores.Count == 1 && node.SettingsOf<NamedStoreSettings>() is { Names.Count: 0, Resolve: null })
            throw new InvalidOperationException($"A backup needs a storage on a disk. Node {node.Id} has its data in memory. Use a durable storage, or remove the settings of backups.");
        node.LoggerFactory.AddProvider(_logs);
        node.SetLabel(VersionLabel, Version);
        node.SetLabel(ExpectedNodesLabel, store.ExpectedNodes.ToString(CultureInfo.InvariantCulture));
        node.Server.AddService(new AdministrationService(this, options.OperatorSecret, node));
        _metrics = new FindingMetrics(node.Id, () => NodeFindings.Of(node, options.Level));
        if (backups.IsOn)
            _backups = new StoreBackups(node, WriterOf, backups, _logger);
    }

    /// <summary>Gets the scheduled backups; null if there are none.</summary>
    internal StoreBackups? Backups => _backups;

    internal AdministrationOptions Options => _options;

    /// <summary>Returns the administration of an open store of the node.</summary>
    /// <param name="name">The name of the store; an empty text for the node's own store.</param>
    /// <exception cref="InvalidOperationException">The node has no open store of this name. The message names those that are open, and the nodes that hold the store.</exception>
    public StoreAdministration OfStore(string name = "")
    {
        ArgumentNullException.ThrowIfNull(name);
        return new StoreAdministration(StoreOf(name), this);
    }

    /// <summary>Returns the writer of the backups of a store, one at a time.</summary>
    internal BackupWriter WriterOf(ReplicatedStore store)
    {
        // Those of closed stores are of no use.
        foreach (var closed in _writers.Keys.Except(_store.Node.OpenStores))
            _writers.TryRemove(closed, out _);
        return _writers.GetOrAdd(store, static (store, logger) => BackupWriter.Of(store, logger), _logger);
    }

    ReplicatedStore StoreOf(string name)
    {
        if (name.Length == 0)
            return _store;
        var open = _store.Node.OpenStores;
        if (open.FirstOrDefault(store => store.Name == name) is { } found)
            return found;
        const int maxNamed = 50;
        string[] names = [.. open.Where(static store => store.Name.Length > 0).Select(static store => $"'{store.Name}'")];
        string known = names.Length == 0 ? "It has no named store open"
            : $"Its open named stores are {string.Join(", ", names.Take(maxNamed))}{(names.Length > maxNamed ? $" and {names.Length - maxNamed} more" : "")}";
        string holders = string.Join(", ", _store.Node.HoldersOf(name).Where(holder => holder.NodeId != _store.Node.Id));
        throw new InvalidOperationException(
            $"Node {_store.Node.Id} has no open store '{name}'. {known}. {(holders.Length > 0 ? $"The store '{name}' is held by {holders}. Ask one of them, or correct the name." : "Correct the name, or leave it out for the node's own store.")}");
    }

    /// <summary>Returns the state of the node and of its own store.</summary>
    public ValueTask<NodeStatus> GetStatusAsync(CancellationToken cancellationToken = default) => GetStatusAsync("", listStores: false, cancellationToken);

    /// <summary>Returns the state of the node and of one of its stores.</summary>
    /// <param name="store">The name of the store; an empty text for the node's own store.</param>
    /// <param name="listStores">True to add an overview of all open stores, which costs a read of each.</param>
    /// <param name="cancellationToken">A token that cancels the reading.</param>
    /// <exception cref="InvalidOperationException">The node has no open store of this name.</exception>
    public async ValueTask<NodeStatus> GetStatusAsync(string store, bool listStores, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var shown = StoreOf(store);
        var node = shown.Node;
        var labels = node.Members.ToDictionary(static member => (int)member.NodeId);
        var suspicions = node.Suspicions;
        var offsets = node.ClockOffsets;
        var files = shown.Storage as IDurableStorage;
        long? free = files is null ? null : await files.GetFreeSpaceAsync(cancellationToken).ConfigureAwait(false);
        List<StoreStatus>? stores = listStores ? [] : null;
        foreach (var open in listStores ? node.OpenStores.Take(MaxListed) : [])
            stores!.Add(await StoreStatus.OfAsync(open, _backups?.StatusOf(open), cancellationToken).ConfigureAwait(false));
        return new NodeStatus(
            node.Id, node.Address, node.DataCenter, node.ClusterId, Version, node.TimeProvider.GetUtcNow(), node.TimeProvider.GetElapsedTime(_started).TotalSeconds,
            shown.Storage.GetType().Name, files is null ? null : await files.GetSizeOnDiskAsync(cancellationToken).ConfigureAwait(false), shown.JoinStatus.IsJoined, shown.JoinStatus.Documents,
            shown.JoinStatus.EstimatedDocuments, shown.ListKeyspaces().Count, shown.DocumentCount, _options.OperatorSecret is not null, node.Seeds, node.CertificateStatus?.ExpiresAt,
            [.. shown.MemberStates.Select(Describe)], NodeFindings.Of(node, _options.Level), _backups?.StatusOf(shown), free, SerialStatus(), shown.Name, stores);

        SerialTransactionStatus SerialStatus()
        {
            var serial = shown.SerialStatus;
            return new SerialTransactionStatus([.. serial.Voters.Select(static voter => (int)voter)], serial.VoterCount, serial.Sequencer, serial.Epoch, serial.Waiting, serial.Decided, serial.Conflicts);
        }

        MemberStatus Describe(StoreMemberState member)
        {
            var known = labels.GetValueOrDefault(member.NodeId);
            byte id = (byte)member.NodeId;
            return new MemberStatus(
                member.NodeId, member.Address, known?.DataCenter ?? "", member.State.ToString(), member.HasJoined, member.Behind?.TotalSeconds,
                suspicions.TryGetValue(id, out double phi) ? phi : null, offsets.TryGetValue(id, out var offset) ? offset.TotalSeconds : null,
                known?.Labels.GetValueOrDefault(VersionLabel), member.Reason is { } reason ? SettingNames.ForStore(reason, shown.Name) : null);
        }
    }

    /// <summary>Checks whether the store of a backup is still that of its node, and so can be restored.</summary>
    internal async ValueTask<BackupCheck> CheckBackupAsync(byte nodeId, string storeId, string clusterId, CancellationToken cancellationToken)
    {
        (ReplicatedStore Store, ulong? Current, bool IsRetired)? found = null;
        string unread = "";
        // The random identity says of which store the backup is.
        foreach (var open in _store.Node.OpenStores)
        {
            try
            {
                var (cluster, currentStore, retired) = await open.FindStoreAsync(nodeId, ulong.Parse(storeId, NumberStyles.HexNumber, CultureInfo.InvariantCulture), cancellationToken).ConfigureAwait(false);
                if (cluster.ToString("x16", CultureInfo.InvariantCulture) == clusterId)
                    found = (open, currentStore, retired);
            }
            catch (Exception e) when (e is ObjectDisposedException or StorageException)
            {
                // It may be the store of the backup, but that must not hide the others.
                unread += $" {(open.Name.Length > 0 ? $"The store '{open.Name}'" : "Its own store")} cannot be asked: {StoreStatus.FailureOf(e)}";
            }
        }
        if (found is not var (of, current, isRetired))
        {
            return new BackupCheck(
                $"The backup is of another cluster, with the identity {clusterId}. No open store of node {_store.Node.Id} has this identity.{unread}",
                "Choose a backup of this cluster: its name ends with the identity. If the backup is of a named store, ask a node that holds it.");
        }
        const string remedy = "Start the node with an empty store, which copies everything from the other nodes, or choose a backup that was made since.";
        if (isRetired)
            return new BackupCheck($"The store {storeId} of the backup was retired, or replaced by another store of node {nodeId}, since the backup was made. All nodes would refuse it.", remedy);
        return current is { } store && store.ToString("x16", CultureInfo.InvariantCulture) is var known && known != storeId
            ? new BackupCheck($"The backup has the store {storeId}, but the store of node {nodeId} is {known} now. The nodes would refuse the older one.", remedy)
            : new BackupCheck();
    }

    /// <summary>Returns the newest log lines of the node, the oldest of them first. They are kept if the node has a logger factory that accepts providers.</summary>
    public IReadOnlyList<LogLine> ReadLog(int count = 100, LogLevel level = LogLevel.Information) => _logs.Read(count, level, store: "");

    /// <summary>Returns the newest log lines of a named store, or those of the whole node for an empty name.</summary>
    internal IReadOnlyList<LogLine> ReadLog(int count, LogLevel level, string store) => _logs.Read(count, level, store);

    /// <summary>Removes the service from the node's port, and ends the scheduled backups.</summary>
    public async ValueTask DisposeAsync()
    {
        _store.Node.Server.RemoveService(AdministrationService.ServiceName);
        if (_backups is not null)
            await _backups.DisposeAsync().ConfigureAwait(false);
        foreach (var writer in _writers.Values)
            writer.Dispose();
        _metrics.Dispose();
    }
}
