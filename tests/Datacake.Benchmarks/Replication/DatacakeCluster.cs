using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.Benchmarks.Replication;

/// <summary>Nodes in this process on loopback TCP, with their stores; the first one is everyone's seed.</summary>
sealed class DatacakeCluster : IAsyncDisposable
{
    public const string System = "Datacake";

    static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(2);

    readonly List<(DatacakeNode Node, ReplicatedStore Store)> _nodes = [];
    readonly List<IStorage> _storages = [];

    public IReadOnlyList<ReplicatedStore> Stores => [.. _nodes.Select(node => node.Store)];

    /// <summary>Starts nodes on the given storages, and waits until they all see each other. The cluster disposes the storages.</summary>
    public static async Task<DatacakeCluster> StartAsync(IReadOnlyList<IStorage> storages, Durability durability = Durability.Flushed)
    {
        var cluster = new DatacakeCluster();
        foreach (var storage in storages)
            await cluster.AddAsync(storage, durability);
        await cluster.WaitUntilConnectedAsync();
        return cluster;
    }

    /// <summary>Starts another node. It has the next id.</summary>
    public async Task<ReplicatedStore> AddAsync(IStorage storage, Durability durability = Durability.Flushed)
    {
        _storages.Add(storage);
        string[] seeds = [.. _nodes.Select(known => known.Node.Address)];
        int nodeId = _nodes.Count + 1;
        var node = await DatacakeNode.StartAsync(settings => settings
            .WithNodeId(nodeId)
            .ListenOn("127.0.0.1:0")
            .WithSeeds(seeds)
            .WithGossip(gossip => gossip.UseLocal()));
        var options = new ReplicatedStoreOptions { AcknowledgementTimeout = TimeSpan.FromSeconds(60), Durability = durability };
        var store = await node.AddExtensionAsync(new ReplicatedStoreExtension(storage, options));
        _nodes.Add((node, store));
        return store;
    }

    public Task WaitUntilConnectedAsync() => WaitUntilAsync(
        () => ValueTask.FromResult(_nodes.TrueForAll(node => node.Store.Joined.IsCompletedSuccessfully
            && node.Store.Members.Count == _nodes.Count && node.Store.Members.All(member => member.IsUp))),
        "all nodes are connected", StartTimeout);

    public static async Task WaitUntilAsync(Func<ValueTask<bool>> condition, string what, TimeSpan timeout)
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
            throw new TimeoutException($"Within {timeout.TotalSeconds} s it did not happen that {what}.");
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (node, _) in Enumerable.Reverse(_nodes))
            await node.DisposeAsync();
        foreach (var storage in _storages)
            await storage.DisposeAsync();
    }
}
