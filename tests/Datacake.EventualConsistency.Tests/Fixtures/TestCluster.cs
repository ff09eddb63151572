using Datacake.Crdt;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Fixtures;

/// <summary>Nodes on loopback TCP with their stores. The first node is the seed of all.</summary>
sealed class TestCluster : IAsyncDisposable
{
    public static TimeSpan Deadline => Eventually.Deadline;

    readonly Dictionary<int, TestNode> _nodes = [];
    readonly ReservedAddresses _addresses = new();

    public sealed record TestNode(DatacakeNode Node, ReplicatedStore Store, SeverableTransport Transport, CollectingLog Log);

    public IEnumerable<ReplicatedStore> Stores => _nodes.Values.Select(node => node.Store);

    public TestNode this[int nodeId] => _nodes[nodeId];

    public static async Task<TestCluster> StartAsync(int count, Func<int, IStorage>? storage = null)
    {
        var cluster = new TestCluster();
        for (int i = 1; i <= count; i++)
            await cluster.AddAsync(i, storage?.Invoke(i));
        await cluster.WaitUntilConnectedAsync();
        return cluster;
    }

    /// <summary>Returns an address that no node uses.</summary>
    public string NextAddress() => _addresses.Next();

    /// <summary>Starts or restarts a node. A restarted node keeps its address unless another one is given.</summary>
    public async Task<TestNode> AddAsync(
        int nodeId, IStorage? storage = null, ReplicatedStoreOptions? options = null, CollectingLog? log = null, SeverableTransport? transport = null,
        string? address = null)
    {
        address ??= _nodes.TryGetValue(nodeId, out var before) ? before.Node.Address : _addresses.Next();
        transport ??= new SeverableTransport();
        log ??= new CollectingLog();
        var seeds = _nodes.Values.Select(known => known.Node.Address).Where(seed => seed != address).ToArray();
        var node = await DatacakeNode.StartAsync(settings => settings
            .WithNodeId(nodeId)
            .ListenOn(address)
            .WithSeeds(seeds)
            .WithGossip(gossip => gossip.UseLocal())
            .WithTransport(transport)
            .WithLoggerFactory(log));
        options ??= new ReplicatedStoreOptions { ReportInterval = TimeSpan.FromMilliseconds(50), AcknowledgmentTimeout = Deadline };
        var store = await node.AddExtensionAsync(new ReplicatedStoreExtension(storage ?? new MemoryStorage(), options));
        return _nodes[nodeId] = new TestNode(node, store, transport, log);
    }

    public async Task WaitUntilConnectedAsync()
    {
        foreach (var store in Stores)
            await store.Joined.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        await WaitUntilAsync(
            () => Stores.All(store => store.Members.Count == _nodes.Count && store.Members.All(member => member.IsUp)), "all nodes are connected");
    }

    public async Task WaitUntilAliveAsync(int nodeId, int count) => await WaitUntilAsync(
        () => this[nodeId].Store.Members.Count(member => member.IsUp) == count, $"node {nodeId} sees {count} members up");

    /// <summary>Waits until all nodes have the same statistics of a keyspace, and returns the statistics.</summary>
    public async Task<KeyspaceStatistics> WaitUntilEqualAsync(string keyspace, long? count = null)
    {
        KeyspaceStatistics? shown = null;
        await WaitUntilAsync(
            async () =>
            {
                var all = new List<KeyspaceStatistics>();
                foreach (var store in Stores)
                    all.Add(await store.Keyspace(keyspace).GetStatisticsAsync(TestContext.Current.CancellationToken));
                shown = all[0];
                return all.TrueForAll(one => one == shown) && (count is null || shown.Count == count);
            },
            $"all nodes show the same of '{keyspace}'");
        return shown!;
    }

    public static Task WaitUntilAsync(Func<bool> condition, string what) => Eventually.WaitUntilAsync(condition, what);

    public static Task WaitUntilAsync(Func<Task<bool>> condition, string what) => Eventually.WaitUntilAsync(condition, what);

    public static long CounterOf(Document document, string property)
    {
        long sum = 0;
        foreach (var cell in document.Cells)
        {
            if (cell.Kind == DocumentPathKind.CounterShare && cell.IsShown(document.Born) && System.Text.Encoding.UTF8.GetString(cell.Property) == property)
                sum += CounterValue.Read(cell.Value);
        }
        return sum;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Values.Reverse())
            await node.Node.DisposeAsync();
        _addresses.Dispose();
    }
}
