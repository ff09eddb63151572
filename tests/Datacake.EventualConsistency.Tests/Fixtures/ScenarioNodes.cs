using System.Text;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Fixtures;

/// <summary>The nodes of a scenario on loopback TCP. Node 1 is the seed of all nodes, itself included, unless a scenario says otherwise.</summary>
sealed class ScenarioNodes : IAsyncDisposable
{
    readonly SortedDictionary<int, ScenarioNode> _nodes = [];

    /// <summary>Gets addresses that no node uses yet.</summary>
    public ReservedAddresses Addresses { get; } = new();

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    /// <summary>Gets a node, which need not be running.</summary>
    public ScenarioNode this[int nodeId]
    {
        get
        {
            if (!_nodes.TryGetValue(nodeId, out var node))
                _nodes[nodeId] = node = new ScenarioNode(nodeId, Addresses.Next());
            return node;
        }
    }

    /// <summary>Starts nodes numbered from 1 with fresh stores, and waits until they are in session with each other.</summary>
    public static async Task<ScenarioNodes> StartAsync(int count)
    {
        var nodes = new ScenarioNodes();
        int[] ids = [.. Enumerable.Range(1, count)];
        foreach (int id in ids)
            await nodes.StartNodeAsync(id);
        await nodes.WaitUntilConnectedAsync(ids);
        return nodes;
    }

    /// <summary>Starts a node with its current disk.</summary>
    public async Task<ReplicatedStore> StartNodeAsync(
        int nodeId, Action<ReplicatedStoreOptions>? configureStore = null, Action<DatacakeNodeOptions>? configure = null)
    {
        string[] seeds = this[nodeId].Seeds ?? [this[1].Address];
        return await this[nodeId].StartAsync(seeds, configureStore, configure);
    }

    /// <summary>Sets the wall clocks of all nodes.</summary>
    public void SetClocks(TimeSpan offset)
    {
        foreach (var node in _nodes.Values)
            node.Time.Offset = offset;
    }

    /// <summary>Waits until the given nodes are the members of each other's stores and are all in session.</summary>
    public async Task WaitUntilConnectedAsync(params int[] nodeIds) => await Eventually.WaitUntilAsync(
        () => nodeIds.All(id => this[id].Store is { Joined.IsCompletedSuccessfully: true } store
            && nodeIds.SequenceEqual(store.Members.Where(member => member.IsUp).Select(member => (int)member.NodeId).Order())),
        () => $"nodes {string.Join(", ", nodeIds)} are connected: {string.Join("; ", nodeIds.Select(id => this[id].Describe()))}");

    /// <summary>Waits until a node considers its session with a peer refused. Returns the reason.</summary>
    public async Task<string> WaitUntilRefusedAsync(int nodeId, int peer)
    {
        await Eventually.WaitUntilAsync(
            () => this[nodeId].StateOf(peer) is { State: MemberConnection.Refused }, () => $"node {nodeId} has no session with node {peer}: {this[nodeId].Describe()}");
        return this[nodeId].StateOf(peer)?.Reason ?? "";
    }

    /// <summary>Waits until the given nodes show the same number of cakes and the same cakes.</summary>
    public async Task WaitUntilEqualAsync(long count, params int[] nodeIds) => await Eventually.WaitUntilAsync(
        async () =>
        {
            var shown = new List<KeyspaceStatistics>();
            foreach (int id in nodeIds)
                shown.Add(await this[id].Cakes.GetStatisticsAsync(Canceled));
            return shown.TrueForAll(one => one == shown[0] && one.Count == count);
        },
        $"nodes {string.Join(", ", nodeIds)} show the same {count} cakes");

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Values.Reverse())
            await node.StopAsync();
        Addresses.Dispose();
    }
}

/// <summary>A node of a scenario: the state that it keeps between its runs, and its current run.</summary>
sealed class ScenarioNode(int id, string address)
{
    DatacakeNode? _node;

    public string Address { get; set; } = address;

    /// <summary>Gets or sets the node's own seeds, or null to use the common seeds.</summary>
    public string[]? Seeds { get; set; }

    public ShiftedTime Time { get; } = new();

    public SeverableTransport Transport { get; } = new();

    public CollectingLog Log { get; } = new();

    /// <summary>Gets or sets the function that opens the node's disk.</summary>
    public Func<IStorage> OpenDisk { get; set; } = DiskInMemory();

    public DatacakeNode Node => _node!;

    public ReplicatedStore Store { get; private set; } = null!;

    public KeyspaceHandle Cakes => Store.Keyspace("cakes");

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    /// <summary>Replaces the disk with an empty one.</summary>
    public void Wipe() => OpenDisk = DiskInMemory();

    public async Task<ReplicatedStore> StartAsync(string[] seeds, Action<ReplicatedStoreOptions>? configureStore, Action<DatacakeNodeOptions>? configure)
    {
        _node = await DatacakeNode.StartAsync(
            settings =>
            {
                settings.WithNodeId(id).WithSeeds(seeds).WithGossip(gossip => gossip.UseLocal())
                    .WithTimeProvider(Time).WithTransport(Transport).WithLoggerFactory(Log)
                    .WithStore(store =>
                    {
                        store.ReportInterval = TimeSpan.FromMilliseconds(100);
                        store.AcknowledgmentTimeout = Eventually.Deadline;
                        store.JoinTimeout = Eventually.Deadline;
                        configureStore?.Invoke(store);
                    })
                    .UseStorage(OpenDisk);
                if (configure is null)
                    settings.ListenOn(Address);
                else
                    configure(settings);
            },
            Canceled);
        return Store = await _node.OpenStoreAsync(Canceled);
    }

    /// <summary>Stops the node in an orderly way.</summary>
    public async Task StopAsync()
    {
        if (_node is { } node)
            await node.DisposeAsync();
    }

    public async Task KillAsync() => await Node.StopAbruptlyAsync();

    public StoreMemberState? StateOf(int peer) => Store.MemberStates.FirstOrDefault(member => member.NodeId == peer);

    public async Task PutAsync(int key, string text, Consistency level) => await Cakes.PutAsync(key, Encoding.UTF8.GetBytes(text), level, Canceled);

    /// <summary>Puts a document as soon as the level can be satisfied, because sessions may end and reopen in the meantime.</summary>
    public async Task PutSoonAsync(int key, string text, Consistency level) => await Eventually.WaitUntilAsync(
        async () =>
        {
            try
            {
                await PutAsync(key, text, level);
                return true;
            }
            catch (Exception e) when (e is NotEnoughNodesException or ConsistencyException)
            {
                return false;
            }
        },
        $"node {id} saves at {level}");

    public async Task<string?> GetAsync(int key) => await Cakes.GetAsync(key, Canceled) is { Value: { } value } ? Encoding.UTF8.GetString(value.Span) : null;

    public async Task WaitForAsync(int key, string text) => await Eventually.WaitUntilAsync(
        async () => await GetAsync(key) == text, $"node {id} shows '{text}' under {key}");

    public string Describe() => $"node {id} has {string.Join(", ", Store.MemberStates.Select(member => $"{member.NodeId} {member.State} {member.Reason}"))}";

    static Func<IStorage> DiskInMemory()
    {
        var storage = new MemoryStorage();
        return () => new KeptStorage(storage);
    }
}
