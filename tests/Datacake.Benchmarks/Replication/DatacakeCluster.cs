using Datacake.Benchmarks.Rpc;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Quickstart;
using Datacake.Rpc;
using Datacake.Storage;

namespace Datacake.Benchmarks.Replication;

/// <summary>A cluster of Datacake nodes and their stores in this process, on loopback TCP. Earlier nodes are the seeds of later ones.</summary>
/// <param name="security">The protection of the links.</param>
/// <param name="isSeverable">
/// True to make links severable and to count their bytes, at a small cost. Gossip then uses UDP, so that a node with severed links stays up.
/// </param>
sealed class DatacakeCluster(LinkSecurity security, bool isSeverable = false) : IAsyncDisposable
{
    public const string System = "Datacake";

    static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(2);

    readonly List<(DatacakeNode Node, ReplicatedStore Store, SeverableTransport Transport)> _nodes = [];
    readonly List<IStorage> _storages = [];
    int _lastNodeId;

    public IReadOnlyList<DatacakeNode> Nodes => [.. _nodes.Select(node => node.Node)];

    /// <summary>Gets the transports of the nodes.</summary>
    public IReadOnlyList<SeverableTransport> Transports => [.. _nodes.Select(node => node.Transport)];

    public IReadOnlyList<ReplicatedStore> Stores => [.. _nodes.Select(node => node.Store)];

    /// <summary>Starts nodes on the given storages, and waits until they all see each other. The cluster disposes the storages.</summary>
    public static async Task<DatacakeCluster> StartAsync(
        IReadOnlyList<IStorage> storages, Durability durability = Durability.Flushed, bool isSeverable = false, LinkSecurity? security = null)
    {
        var cluster = new DatacakeCluster(security ?? LinkSecurity.None, isSeverable);
        foreach (var storage in storages)
            await cluster.AddAsync(storage, durability);
        await cluster.WaitUntilConnectedAsync();
        return cluster;
    }

    /// <summary>Starts another node with the next id.</summary>
    public async Task<ReplicatedStore> AddAsync(IStorage storage, Durability durability = Durability.Flushed)
    {
        _storages.Add(storage);
        string[] seeds = [.. _nodes.Select(known => known.Node.Address)];
        int nodeId = ++_lastNodeId;
        var transport = new SeverableTransport(TcpTransport.Default);
        var node = await DatacakeNode.StartAsync(settings =>
        {
            settings.WithNodeId(nodeId)
                .ListenOn("127.0.0.1:0")
                .WithSeeds(seeds)
                .WithTransport(isSeverable ? transport : TcpTransport.Default)
                .WithGossipTransport(isSeverable ? GossipTransport.Udp : GossipTransport.Rpc)
                .WithGossip(gossip => gossip.UseLocal());
            if (security.Secret is { } secret)
                settings.WithClusterSecret(secret);
            if (security.Tls is { } tls)
                settings.WithTls(tls);
        });
        var options = new ReplicatedStoreOptions { AcknowledgmentTimeout = TimeSpan.FromSeconds(60), Durability = durability };
        var store = await node.AddExtensionAsync(new ReplicatedStoreExtension(storage, options));
        _nodes.Add((node, store, transport));
        return store;
    }

    /// <summary>Stops the node that was added last, and removes it from the cluster for good.</summary>
    public async Task RetireLastAsync()
    {
        var (node, store, _) = _nodes[^1];
        _nodes.RemoveAt(_nodes.Count - 1);
        await node.DisposeAsync();
        await _nodes[0].Store.RetireAsync((byte)_lastNodeId);
    }

    public Task WaitUntilConnectedAsync() => WaitUntilAsync(
        () => ValueTask.FromResult(_nodes.TrueForAll(node => node.Store.Joined.IsCompletedSuccessfully
            && node.Store.Members.Count == _nodes.Count && node.Store.Members.All(member => member.IsUp))),
        "all nodes are connected", StartTimeout);

    public static async Task WaitUntilAsync(Func<ValueTask<bool>> condition, string description, TimeSpan timeout)
    {
        using var expired = new CancellationTokenSource(timeout);
        using var poll = new PeriodicTimer(PollInterval);
        try
        {
            while (!await condition())
                await poll.WaitForNextTickAsync(expired.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"The condition '{description}' was not met within {timeout.TotalSeconds} s.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (node, _, _) in Enumerable.Reverse(_nodes))
            await node.DisposeAsync();
        foreach (var storage in _storages)
            await storage.DisposeAsync();
    }
}
