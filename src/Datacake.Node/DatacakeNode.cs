using Datacake.Crdt;
using Datacake.Rpc;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>
/// This process as a node of a cluster: it finds the other nodes by gossip, tells which of them run, and carries what is built on it
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
    readonly MemberTable? _memberTable;
    readonly ChannelPool _channels;
    readonly ExtensionList _extensions;
    readonly IReadOnlyDictionary<Type, object> _extensionSettings;
    readonly RpcTls? _tls;
    readonly ILogger _logger;
    readonly Lock _stopLock = new();
    Task _keepingMembers = Task.CompletedTask;
    Task? _stopped;

    internal DatacakeNode(NodeParts parts)
    {
        Id = parts.NodeId;
        Address = parts.Address;
        DataCenter = parts.DataCenter;
        ClusterId = parts.ClusterId;
        Generation = parts.Generation;
        MaxClockDifference = parts.MaxClockDifference;
        NodeSelector = parts.NodeSelector;
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
        _memberTable = parts.MemberTable;
        _channels = parts.Channels;
        _logger = parts.LoggerFactory.CreateLogger<DatacakeNode>();
        _extensions = new ExtensionList(_logger);
        _extensionSettings = parts.ExtensionSettings;
    }

    /// <summary>
    /// Starts a node. It runs when this returns, alone if no seed can be reached yet; seeds are tried for as long as it runs. Use
    /// <see cref="WaitForNodesAsync(int, TimeSpan, CancellationToken)"/> to wait for others.
    /// </summary>
    /// <exception cref="InvalidOperationException">A required setting is missing, one is made twice, or two contradict each
    /// other.</exception>
    /// <exception cref="ArgumentException">A setting makes no sense.</exception>
    /// <exception cref="StorageException">The store cannot be opened.</exception>
    /// <exception cref="RpcException">The address cannot be listened at.</exception>
    /// <exception cref="ClusterRefusedException">The node id is in use by a node that runs, or the seeds are of another
    /// cluster.</exception>
    public static async ValueTask<DatacakeNode> StartAsync(
        Action<DatacakeNodeOptions> configure, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new DatacakeNodeOptions();
        configure(options);
        return await NodeStart.RunAsync(options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The node id, unique in the cluster.</summary>
    public byte Id { get; }

    /// <summary>The RPC address that others reach this node at, with the port that was really bound.</summary>
    public string Address { get; }

    /// <summary>The data center that it is in.</summary>
    public string DataCenter { get; }

    /// <summary>The cluster that it is of.</summary>
    public string ClusterId { get; }

    /// <summary>Which life of the node this is: grows with every start.</summary>
    public ulong Generation { get; }

    /// <summary>The addresses that it was told to look for others at.</summary>
    public IReadOnlyList<string> Seeds => _seeds.Addresses;

    /// <summary>
    /// Gets the endpoints that the seeds stand for, and the nodes that the last dial of each has reached: a snapshot. All endpoints are dialed until
    /// each has answered, and again, ever more rarely, while one does not.
    /// </summary>
    public IReadOnlyList<SeedContact> SeedContacts => _seeds.Contacts;

    /// <summary>Gets how far the wall clocks of two nodes may differ.</summary>
    public TimeSpan MaxClockDifference { get; }

    /// <summary>
    /// Gets the wall clock of each peer that is up minus this machine's, as the last message from it showed it: a snapshot. The time that a message is
    /// under way counts as a difference.
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

    /// <summary>Gets the public keys of the operators, each as <c>SubjectPublicKeyInfo</c>; empty if the word of any member retires another.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> OperatorKeys { get; }

    /// <summary>Chooses the nodes that a read asks first.</summary>
    public INodeSelector NodeSelector { get; }

    /// <summary>
    /// The cluster clock. The stamps of other nodes, which come with their gossip, push it forward, if their wall clocks differ from this machine's by at
    /// most <see cref="MaxClockDifference"/>.
    /// </summary>
    public HybridLogicalClock Clock { get; }

    /// <summary>The store that was chosen with <c>Use…</c>, or null. The node opened it, and disposes it last.</summary>
    public IStorage? Storage { get; }

    /// <summary>Where extensions add their services.</summary>
    public RpcServer Server { get; }

    /// <summary>The clock that everything on the node runs by.</summary>
    public TimeProvider TimeProvider { get; }

    /// <summary>Gets the state of the node's certificate, or null if the node does not speak TLS.</summary>
    public RpcCertificateStatus? CertificateStatus => _tls?.CertificateStatus;

    /// <summary>Where everything on the node logs to.</summary>
    public ILoggerFactory LoggerFactory { get; }

    /// <summary>All known members in the order of their ids, this node included: a snapshot that does not change.</summary>
    public IReadOnlyList<ClusterMember> Members => _view.Members;

    /// <summary>The channel to an address: one for each, shared, disposed with the node. Do not dispose it.</summary>
    /// <exception cref="ObjectDisposedException">The node has stopped.</exception>
    public RpcChannel ChannelTo(string address)
    {
        NodeAddress.Check(address, nameof(address), allowPortZero: false);
        return _channels.To(address);
    }

    /// <summary>
    /// The current members, each as <see cref="MembershipChangeKind.Joined"/>, and then every change until the token fires or the node
    /// stops. A reader that is slow misses no outcome: it sees the difference between what it saw last and what is.
    /// </summary>
    public IAsyncEnumerable<MembershipChange> WatchMembersAsync(CancellationToken cancellationToken = default)
        => _view.WatchAsync(cancellationToken);

    /// <summary>Waits until all these nodes are up.</summary>
    /// <remarks>A timeout of more than 49 days is infinite.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative, and not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    /// <exception cref="TimeoutException">They were not in time; the message says which.</exception>
    /// <exception cref="ClusterRefusedException">This node is no part of the cluster.</exception>
    /// <exception cref="ObjectDisposedException">The node has stopped.</exception>
    public Task WaitForNodesAsync(IEnumerable<byte> nodeIds, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(nodeIds);
        var wanted = nodeIds.Aggregate(default(NodeSet), static (set, id) => set.With(id));
        return WaitForAsync(up => wanted.Except(up).IsEmpty, up => $"nodes {wanted.Except(up)}", timeout, cancellationToken);
    }

    /// <summary>Waits until so many nodes, this one included, are up.</summary>
    /// <remarks>A timeout of more than 49 days is infinite.</remarks>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is negative, and not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    /// <exception cref="TimeoutException">They were not in time; the message says which are.</exception>
    /// <exception cref="ClusterRefusedException">This node is no part of the cluster.</exception>
    /// <exception cref="ObjectDisposedException">The node has stopped.</exception>
    public Task WaitForNodesAsync(int count, TimeSpan timeout, CancellationToken cancellationToken = default)
        => WaitForAsync(up => up.Count >= count, up => $"{count - up.Count} more of {count} nodes", timeout, cancellationToken);

    /// <summary>
    /// Publishes a small text to all members, who find it in <see cref="ClusterMember.Labels"/> within a few rounds of gossip.
    /// </summary>
    /// <exception cref="ArgumentException">The key is reserved, or the label is too large.</exception>
    public void SetLabel(string key, string value)
    {
        NodeKeys.CheckLabel(key, value);
        _gossip.Change(gossiper => gossiper.Set(key, value));
    }

    /// <summary>Takes a label back. One that was not set stays so.</summary>
    /// <exception cref="ArgumentException">The key is reserved.</exception>
    public void RemoveLabel(string key)
    {
        NodeKeys.CheckLabel(key, "");
        _gossip.Change(gossiper => gossiper.Delete(key));
    }

    /// <summary>
    /// Publishes the id of the node's replicated store: of two nodes with one id, the one whose store was retired gives way. For the extension
    /// that is the store.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The id is 0.</exception>
    public void PublishStore(ulong storeId)
    {
        ArgumentOutOfRangeException.ThrowIfZero(storeId);
        _gossip.Change(gossiper => gossiper.Store = storeId);
    }

    /// <summary>
    /// Sets the ids of the stores that were retired from the cluster, in place of those that were set before. For the extension that is the store.
    /// </summary>
    public void SetRetiredStores(IReadOnlySet<ulong> storeIds)
    {
        ArgumentNullException.ThrowIfNull(storeIds);
        _gossip.Change(gossiper => gossiper.RetiredStores = storeIds.ToHashSet());
    }

    /// <summary>Starts an extension, and keeps what it makes until the node stops.</summary>
    /// <exception cref="InvalidOperationException">An extension of this type was added already.</exception>
    /// <exception cref="ObjectDisposedException">The node has stopped.</exception>
    public ValueTask<T> AddExtensionAsync<T>(IClusterExtension<T> extension, CancellationToken cancellationToken = default)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(extension);
        return _extensions.AddAsync(extension, this, cancellationToken);
    }

    /// <summary>
    /// The extension of type <typeparamref name="T"/> that runs on the node, once it has started; <paramref name="extension"/> is started if there is
    /// none. Any number of callers may ask at once, and get the same one.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The node has stopped.</exception>
    public ValueTask<T> GetOrAddExtensionAsync<T>(IClusterExtension<T> extension, CancellationToken cancellationToken = default)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(extension);
        return _extensions.GetOrAddAsync(extension, this, cancellationToken);
    }

    /// <summary>
    /// The settings of an extension: those that <see cref="DatacakeNodeOptions.WithExtensionSettings{T}"/> has made, or else those it has by default.
    /// </summary>
    public T SettingsOf<T>()
        where T : class, new() => _extensionSettings.TryGetValue(typeof(T), out object? settings) ? (T)settings : new T();

    /// <summary>What an extension of this type made, or null if none was added.</summary>
    public T? FindExtension<T>()
        where T : class => _extensions.Find<T>();

    /// <summary>
    /// Stops without a word: to the others it looks like a crash, and they find out by the silence. For tests and drills; the store is
    /// closed in order.
    /// </summary>
    public ValueTask StopAbruptlyAsync() => StopOnceAsync(isAnnounced: false);

    /// <summary>
    /// Stops the extensions, tells the others that this node leaves, and closes everything: the network, then the store. Others see it as
    /// <see cref="MemberState.Left"/> at once.
    /// </summary>
    public ValueTask DisposeAsync() => StopOnceAsync(isAnnounced: true);

    internal void Start()
    {
        _gossipLoop.Start();
        _keepingMembers = _memberTable?.KeepAsync(_view.WatchTogetherAsync(), _gossip.Remember) ?? Task.CompletedTask;
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
        await _keepingMembers.ConfigureAwait(false);
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
                nameof(timeout), timeout, $"The timeout is {timeout}; it cannot be negative. Use Timeout.InfiniteTimeSpan to wait without one.");
        }

        // A timer takes no more; a wait of that length has no end that anyone would see.
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
                + $"It knows {string.Join(", ", _view.Members)}; its seeds are {(Seeds.Count == 0 ? "none" : string.Join(", ", Seeds))}.");
        }
    }

    static NodeSet Up(IEnumerable<ClusterMember> members)
        => members.Where(member => member.IsUp).Aggregate(default(NodeSet), static (set, member) => set.With(member.NodeId));
}
