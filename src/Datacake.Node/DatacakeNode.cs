using System.Globalization;
using Datacake.Crdt;
using Datacake.Node.Diagnostics;
using Datacake.Node.Gossip;
using Datacake.Node.Membership;
using Datacake.Node.Network;
using Datacake.Rpc;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>
/// A node of a cluster, run by this process. It finds the other nodes by gossip, detects which of them are up, and hosts extensions
/// (<see cref="IClusterExtension{T}"/>). Thread-safe.
/// </summary>
public sealed class DatacakeNode : IAsyncDisposable
{
    readonly IGossipLink _gossipLink;
    readonly SharedGossiper _gossip;
    readonly GossipLoop _gossipLoop;
    readonly Seeds _seeds;
    readonly PeerClocks _clocks;
    readonly MembershipView _view;
    readonly MemberRecordStore? _memberRecords;
    readonly ChannelPool _channels;
    readonly ExtensionList _extensions;
    readonly IReadOnlyDictionary<Type, object> _extensionSettings;
    readonly RpcTls? _tls;
    readonly ILogger _logger;
    readonly Lock _stopLock = new();
    Task _savingMembers = Task.CompletedTask;
    Task? _stopped;

    internal DatacakeNode(NodeParts parts)
    {
        Id = parts.NodeId;
        Address = parts.Address;
        HasNewAddress = parts.HasNewAddress;
        DataCenter = parts.DataCenter;
        ClusterId = parts.ClusterId;
        Generation = parts.Generation;
        MinSilence = parts.MinSilence;
        MaxClockDifference = parts.MaxClockDifference;
        Clock = parts.Clock;
        Storage = parts.Storage;
        Server = parts.Server;
        TimeProvider = parts.TimeProvider;
        LoggerFactory = parts.LoggerFactory;
        OperatorKeys = parts.OperatorKeys;
        _tls = parts.Tls;
        _gossipLink = parts.GossipLink;
        _gossip = parts.Gossip;
        _gossipLoop = parts.GossipLoop;
        _seeds = parts.Seeds;
        _clocks = parts.Clocks;
        _view = parts.View;
        _memberRecords = parts.MemberRecordStore;
        _channels = parts.Channels;
        _logger = parts.LoggerFactory.CreateLogger<DatacakeNode>();
        _extensions = new ExtensionList(_logger);
        _extensionSettings = parts.ExtensionSettings;
    }

    /// <summary>
    /// Starts a node. The node starts even if it cannot reach any seed, and keeps dialing its seeds as long as it runs. Use
    /// <see cref="WaitForNodesAsync(int, TimeSpan, CancellationToken)"/> to wait for other nodes.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// An option is missing, set twice or contradicts another one; other machines could reach the node without authentication; or the UDP
    /// port for gossip cannot be bound.
    /// </exception>
    /// <exception cref="ArgumentException">The value of an option is invalid.</exception>
    /// <exception cref="StorageException">The store cannot be opened.</exception>
    /// <exception cref="RpcException">The node cannot listen on its address.</exception>
    /// <exception cref="ClusterRefusedException">
    /// A running node uses the same node id, the store of this node was retired, or the seeds belong to another cluster.
    /// </exception>
    public static async ValueTask<DatacakeNode> StartAsync(
        Action<DatacakeNodeOptions> configure, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new DatacakeNodeOptions();
        configure(options);
        return await NodeStart.RunAsync(options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gets the node id, which is unique in the cluster.</summary>
    public byte Id { get; }

    /// <summary>
    /// Gets the RPC address at which other nodes reach this one. If port 0 was configured, it has the port that was bound.
    /// </summary>
    public string Address { get; }

    /// <summary>
    /// True if the port of the address was picked when the node started, so that no other node can know the address from before.
    /// </summary>
    public bool HasNewAddress { get; }

    /// <summary>Gets the data center of the node.</summary>
    public string DataCenter { get; }

    /// <summary>Gets the name of the cluster.</summary>
    public string ClusterId { get; }

    /// <summary>Gets the generation of the node, a number that grows with every start.</summary>
    public ulong Generation { get; }

    /// <summary>Gets the seeds as they were configured.</summary>
    public IReadOnlyList<string> Seeds => _seeds.Addresses;

    /// <summary>
    /// Gets a snapshot of the endpoints that the seeds resolve to, with the node that answered the last dial of each. Every endpoint is
    /// dialed until a node answers. Dials of an endpoint that does not answer become less and less frequent.
    /// </summary>
    public IReadOnlyList<SeedContact> SeedContacts => _seeds.Contacts;

    /// <summary>Gets the shortest silence after which a member can count as down (<see cref="GossipOptions.MinSilence"/>).</summary>
    public TimeSpan MinSilence { get; }

    /// <summary>Gets the difference between the wall clocks of two nodes beyond which they ignore each other's stamps.</summary>
    public TimeSpan MaxClockDifference { get; }

    /// <summary>
    /// Gets a snapshot of the clock offsets by node id: the wall clock of each peer that is up, minus this machine's wall clock, according
    /// to the last message from that peer. The offset includes the time that the message was in transit.
    /// </summary>
    public IReadOnlyDictionary<byte, TimeSpan> ClockOffsets
    {
        get
        {
            var offsets = _clocks.Offsets;
            return Members.Where(member => member.IsUp && offsets.ContainsKey(member.NodeId)).ToDictionary(
                member => member.NodeId, member => offsets[member.NodeId]);
        }
    }

    /// <summary>
    /// Gets the suspicion that each member has failed, by node id (φ; Hayashibara et al., The φ accrual failure detector, 2004). A member counts
    /// as down above <see cref="GossipOptions.PhiThreshold"/>. Members that were never heard of are missing.
    /// </summary>
    public IReadOnlyDictionary<byte, double> Suspicions
    {
        get
        {
            // Earlier runs of a member are silent, so the least suspicious one is the member.
            var phi = _gossip.PhiOfPeers().GroupBy(static peer => peer.Peer).ToDictionary(static peers => peers.Key, static peers => peers.Min(static peer => peer.Phi));
            return Members.Select(static member => member.NodeId).Where(id => phi.ContainsKey(NameOf(id))).ToDictionary(static id => id, id => phi[NameOf(id)]);

            static string NameOf(byte id) => id.ToString(CultureInfo.InvariantCulture);
        }
    }

    /// <summary>
    /// Gets the public keys of the operators, each as <c>SubjectPublicKeyInfo</c>. If there are none, any member can retire another.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> OperatorKeys { get; }

    /// <summary>
    /// Gets the cluster clock. The gossip of other nodes carries their stamps, which move this clock forward if the wall clocks of the two
    /// nodes differ by at most <see cref="MaxClockDifference"/>.
    /// </summary>
    public HybridLogicalClock Clock { get; }

    /// <summary>
    /// Gets the storage that was configured with a <c>Use…</c> method, or null if there is none. The node opens it and disposes it last. Of
    /// its keys, those whose first byte is below 0x10 belong to the replicated store, and those from 0xF0 on to the node. Extensions may use
    /// the others.
    /// </summary>
    public IStorage? Storage { get; }

    /// <summary>Gets the RPC server, to which extensions add their services.</summary>
    public RpcServer Server { get; }

    /// <summary>Gets the time provider of the node and its extensions.</summary>
    public TimeProvider TimeProvider { get; }

    /// <summary>Gets the status of the node's certificate, or null if the node does not use TLS.</summary>
    public RpcCertificateStatus? CertificateStatus => _tls?.CertificateStatus;

    /// <summary>
    /// Gets the logger factory of the node and its extensions. A provider that is added gets what this node logs, besides the loggers of the
    /// application, and lives no longer than the node.
    /// </summary>
    public ILoggerFactory LoggerFactory { get; }

    /// <summary>Gets an immutable snapshot of all known members, including this node, in ascending order of their ids.</summary>
    public IReadOnlyList<ClusterMember> Members => _view.Members;

    /// <summary>Returns the channel to an address. It is shared by all callers and disposed with the node; do not dispose it.</summary>
    /// <exception cref="ObjectDisposedException">The node has stopped.</exception>
    public RpcChannel ChannelTo(string address)
    {
        NodeAddress.Check(address, nameof(address), allowPortZero: false);
        return _channels.To(address);
    }

    /// <summary>
    /// Returns the current members, each as a <see cref="MembershipChangeKind.Joined"/> change, then all changes until the token is
    /// canceled or the node stops. If a reader is slow, several changes of a member may be combined into one, but the last state is never
    /// missed.
    /// </summary>
    public IAsyncEnumerable<MembershipChange> WatchMembersAsync(CancellationToken cancellationToken = default)
        => _view.WatchAsync(cancellationToken);

    /// <summary>Waits until all given nodes are up.</summary>
    /// <remarks>A timeout of more than 49 days is infinite.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative, and not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    /// <exception cref="TimeoutException">The nodes were not up in time. The message names the missing nodes.</exception>
    /// <exception cref="ClusterRefusedException">The cluster refused this node.</exception>
    /// <exception cref="ObjectDisposedException">The node has stopped.</exception>
    public Task WaitForNodesAsync(IEnumerable<byte> nodeIds, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(nodeIds);
        var wanted = nodeIds.Aggregate(default(NodeSet), static (set, id) => set.With(id));
        return WaitForAsync(up => wanted.Except(up).IsEmpty, up => $"nodes {wanted.Except(up)}", timeout, cancellationToken);
    }

    /// <summary>Waits until a number of nodes, including this one, are up.</summary>
    /// <remarks>A timeout of more than 49 days is infinite.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative, and not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    /// <exception cref="TimeoutException">The nodes were not up in time. The message lists the known members.</exception>
    /// <exception cref="ClusterRefusedException">The cluster refused this node.</exception>
    /// <exception cref="ObjectDisposedException">The node has stopped.</exception>
    public Task WaitForNodesAsync(int count, TimeSpan timeout, CancellationToken cancellationToken = default)
        => WaitForAsync(up => up.Count >= count, up => $"{count - up.Count} more of {count} nodes", timeout, cancellationToken);

    /// <summary>
    /// Publishes a small text to all members, which see it in <see cref="ClusterMember.Labels"/> within a few rounds of gossip.
    /// </summary>
    /// <exception cref="ArgumentException">The key is reserved, or the label is too large.</exception>
    public void SetLabel(string key, string value)
    {
        NodeKeys.CheckLabel(key, value);
        _gossip.Change(gossiper => gossiper.Set(key, value));
    }

    /// <summary>Removes a label. Does nothing if the label is not set.</summary>
    /// <exception cref="ArgumentException">The key is reserved.</exception>
    public void RemoveLabel(string key)
    {
        NodeKeys.CheckLabel(key, "");
        _gossip.Change(gossiper => gossiper.Delete(key));
    }

    /// <summary>
    /// Publishes the id of the node's replicated store. If two nodes use the same node id, the one whose store was retired gives way.
    /// Called by the extension that implements the store.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is 0.</exception>
    public void PublishStore(ulong storeId)
    {
        ArgumentOutOfRangeException.ThrowIfZero(storeId);
        _gossip.Change(gossiper => gossiper.Store = storeId);
    }

    /// <summary>Throws if a text cannot be the address of a node, such as <c>hub:7000</c>, <c>10.0.0.5:7000</c> or <c>[::1]:7000</c>.</summary>
    /// <exception cref="ArgumentException">The text has no host, or no port from 1 to 65535.</exception>
    public static void CheckAddress(string address) => NodeAddress.Check(address, nameof(address), allowPortZero: false);

    /// <summary>Throws if a text cannot be the name of a store.</summary>
    /// <exception cref="ArgumentException">The name is empty, has control characters, or is longer than 200 bytes in UTF-8.</exception>
    public static void CheckStoreName(string name) => NodeKeys.CheckStoreName(name);

    /// <summary>
    /// Publishes that the node holds named stores. Other nodes see them in <see cref="ClusterMember.Stores"/> within a few rounds of gossip.
    /// Called by the extension that implements the stores.
    /// </summary>
    /// <exception cref="ArgumentException">A name is empty, has control characters, or is longer than 200 bytes in UTF-8.</exception>
    public void PublishNamedStores(params IReadOnlyCollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        foreach (string name in names)
            NodeKeys.CheckStoreName(name);
        _gossip.Change(gossiper =>
        {
            foreach (string name in names)
                gossiper.Set(NodeKeys.NamedStore(name), "");
        });
    }

    /// <summary>
    /// Publishes that the node no longer holds a named store. Does nothing if it was not published. Called by the extension that implements
    /// the stores.
    /// </summary>
    /// <exception cref="ArgumentException">The name is empty, has control characters, or is longer than 200 bytes in UTF-8.</exception>
    public void WithdrawNamedStore(string name)
    {
        NodeKeys.CheckStoreName(name);
        _gossip.Change(gossiper => gossiper.Delete(NodeKeys.NamedStore(name)));
    }

    /// <summary>Returns an immutable snapshot of the members that hold a named store, in ascending order of their ids.</summary>
    public IReadOnlyList<ClusterMember> HoldersOf(string store)
    {
        ArgumentNullException.ThrowIfNull(store);
        return MembershipView.HoldersOf(store, _view.Members);
    }

    /// <summary>
    /// Returns the members that hold a named store, like <see cref="WatchMembersAsync"/>, and then all changes. A member that no longer
    /// holds the store is reported as <see cref="MembershipChangeKind.Forgotten"/>.
    /// </summary>
    public IAsyncEnumerable<MembershipChange> WatchHoldersAsync(string store, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        return _view.WatchAsync(store, cancellationToken);
    }

    /// <summary>
    /// Sets the ids of all stores that were retired from the cluster, replacing the previous ids. Called by the extension that implements
    /// the store.
    /// </summary>
    public void SetRetiredStores(IReadOnlySet<ulong> storeIds)
    {
        ArgumentNullException.ThrowIfNull(storeIds);
        _gossip.Change(gossiper => gossiper.RetiredStores = storeIds.ToHashSet());
    }

    /// <summary>Starts an extension, which runs until the node stops.</summary>
    /// <exception cref="InvalidOperationException">An extension of this type was already added.</exception>
    /// <exception cref="ObjectDisposedException">The node has stopped.</exception>
    public ValueTask<T> AddExtensionAsync<T>(IClusterExtension<T> extension, CancellationToken cancellationToken = default)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(extension);
        return _extensions.AddAsync(extension, this, cancellationToken);
    }

    /// <summary>
    /// Returns the extension of type <typeparamref name="T"/> that runs on the node, or starts <paramref name="extension"/> if there is
    /// none. Waits until the extension has started. Concurrent callers get the same extension.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The node has stopped.</exception>
    public ValueTask<T> GetOrAddExtensionAsync<T>(IClusterExtension<T> extension, CancellationToken cancellationToken = default)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(extension);
        return _extensions.GetOrAddAsync(extension, this, cancellationToken);
    }

    /// <summary>
    /// Returns the settings of an extension: those configured with <see cref="DatacakeNodeOptions.WithExtensionSettings{T}"/>, or the
    /// defaults.
    /// </summary>
    public T SettingsOf<T>()
        where T : class, new() => _extensionSettings.TryGetValue(typeof(T), out object? settings) ? (T)settings : new T();

    /// <summary>Returns the extension of type <typeparamref name="T"/>, or null if none was added.</summary>
    public T? FindExtension<T>()
        where T : class => _extensions.Find<T>();

    /// <summary>
    /// Stops the node without telling the other nodes, for tests and drills. To the others it looks like a crash, which they detect by the
    /// silence. The storage is closed properly.
    /// </summary>
    public ValueTask StopAbruptlyAsync() => StopOnceAsync(isAnnounced: false);

    /// <summary>
    /// Stops the extensions, tells the other nodes that this one leaves, and closes the network and then the storage. The others see the
    /// node as <see cref="MemberState.Left"/> at once.
    /// </summary>
    public ValueTask DisposeAsync() => StopOnceAsync(isAnnounced: true);

    internal void Start()
    {
        _gossipLoop.Start();
        _savingMembers = _memberRecords?.SaveOnChangeAsync(_view.WatchTogetherAsync(), _gossip.Remember) ?? Task.CompletedTask;
        NodeLog.Started(_logger, Id, ClusterId, Address, DataCenter, Generation);
    }

    ValueTask StopOnceAsync(bool isAnnounced)
    {
        lock (_stopLock)
            return new ValueTask(_stopped ??= StopAsync(isAnnounced));
    }

    async Task StopAsync(bool isAnnounced)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        if (isAnnounced)
        {
            await _extensions.DisposeAsync().ConfigureAwait(false);
            await _gossipLoop.LeaveAsync().ConfigureAwait(false);
        }
        await CloseNetworkAsync().ConfigureAwait(false);
        if (!isAnnounced)
            await _extensions.DisposeAsync().ConfigureAwait(false);
        if (Storage is not null)
            await Storage.DisposeAsync().ConfigureAwait(false);
        NodeLog.Stopped(_logger, Id, Address);
    }

    async Task CloseNetworkAsync()
    {
        _view.Close();
        await _savingMembers.ConfigureAwait(false);
        await _gossipLoop.DisposeAsync().ConfigureAwait(false);
        await _gossipLink.DisposeAsync().ConfigureAwait(false);
        await _channels.DisposeAsync().ConfigureAwait(false);
        await Server.DisposeAsync().ConfigureAwait(false);
    }

    async Task WaitForAsync(
        Func<NodeSet, bool> condition, Func<NodeSet, string> describeMissing, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (timeout < TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(
                nameof(timeout), timeout, $"The timeout is {timeout}. It cannot be negative. Use Timeout.InfiniteTimeSpan to wait forever.");
        }

        // Timers do not support longer times, and a wait of 49 days is as good as infinite.
        using var deadline = new CancellationTokenSource(
            timeout > GossipOptions.LongestTimer ? Timeout.InfiniteTimeSpan : timeout, TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            var isRunning = await _view.WaitUntilAsync(members => condition(Up(members)), either.Token).ConfigureAwait(false);
            ObjectDisposedException.ThrowIf(!isRunning, this);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            if (_gossip.Refusal is { } refusal)
                throw new ClusterRefusedException(refusal);
            throw new TimeoutException(
                $"Node {Id} waited {timeout.TotalSeconds:0.###} s for {describeMissing(Up(_view.Members))} to be up. "
                + $"Known members: {string.Join(", ", _view.Members)}. Seeds: {(Seeds.Count == 0 ? "none" : string.Join(", ", Seeds))}.");
        }
    }

    static NodeSet Up(IEnumerable<ClusterMember> members)
        => members.Where(member => member.IsUp).Aggregate(default(NodeSet), static (set, member) => set.With(member.NodeId));
}
