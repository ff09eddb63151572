using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Rpc;

namespace Datacake.Quickstart;

/// <summary>Three nodes on loopback TCP, each with its own storage and its own network cable.</summary>
sealed class Cluster(Options options, string dataFolder) : IAsyncDisposable
{
    public const int Size = 3;

    readonly DatacakeNode[] _nodes = new DatacakeNode[Size];
    readonly SeverableTransport[] _links = new SeverableTransport[Size];

    public static IEnumerable<int> NodeIds => Enumerable.Range(1, Size);

    public DatacakeNode Node(int id) => _nodes[id - 1];

    public SeverableTransport Link(int id) => _links[id - 1];

    public WorldContext NewContext(int nodeId) => new(Node(nodeId));

    /// <summary>Starts the first node alone. The others find it by its address.</summary>
    public async Task StartAsync()
    {
        foreach (int id in NodeIds)
            await StartNodeAsync(id, [.. _nodes.Take(id - 1).Select(node => node.Address)]);
    }

    /// <summary>Restarts a stopped node from its file. The node may have a new address, because it finds the others by theirs.</summary>
    public Task RestartAsync(int id) => StartNodeAsync(id, [.. _nodes.Where(node => node.Id != id).Select(node => node.Address)]);

    /// <summary>Returns true if the given nodes have joined and each of them replicates to the others and to no other node.</summary>
    public async ValueTask<bool> IsConnectedAsync(params int[] nodeIds)
    {
        foreach (int id in nodeIds)
        {
            var store = await Node(id).OpenStoreAsync();
            var reachable = store.Members.Where(member => member.IsUp).Select(member => (int)member.NodeId);
            if (!store.Joined.IsCompletedSuccessfully || !reachable.Order().SequenceEqual(nodeIds))
                return false;
        }
        return true;
    }

    public async ValueTask<bool> AreEqualAsync()
    {
        var first = await StatisticsOfAsync(1);
        foreach (int id in NodeIds.Skip(1))
        {
            if (!first.SequenceEqual(await StatisticsOfAsync(id)))
                return false;
        }
        return true;
    }

    public async ValueTask<IReadOnlyList<KeyspaceStatistics>> StatisticsOfAsync(int id)
    {
        await using var db = NewContext(id);
        return await db.GetStatisticsAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Reverse().OfType<DatacakeNode>())
            await node.DisposeAsync();
    }

    async Task StartNodeAsync(int id, string[] seeds)
    {
        var link = new SeverableTransport(TcpTransport.Default);
        _links[id - 1] = link;
        _nodes[id - 1] = await DatacakeNode.StartAsync(node =>
        {
            node.WithNodeId(id)
                .WithClusterId("quickstart")
                .ListenOn("127.0.0.1:0")
                .WithSeeds(seeds)
                .WithTransport(link)
                .WithGossip(gossip => gossip.UseLocal());
            options.ChooseStorage(node, id, dataFolder);
        });
        // Replication begins when the store opens. The first context would open it, too.
        await Node(id).OpenStoreAsync();
    }
}
