using Datacake.Node;
using Datacake.Rpc;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests;

/// <summary>Nodes on loopback TCP with their stores; the first one is everyone's seed.</summary>
sealed class TestCluster : IAsyncDisposable
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    readonly List<DatacakeNode> _nodes = [];

    public List<ReplicatedStore> Stores { get; } = [];

    public static async Task<TestCluster> StartAsync(int count, Func<int, IStorage>? storage = null)
    {
        var cluster = new TestCluster();
        for (int i = 1; i <= count; i++)
            await cluster.AddAsync(i, storage?.Invoke(i) ?? new MemoryStorage());
        foreach (var store in cluster.Stores)
            await store.Joined.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        await WaitUntilAsync(() => cluster.Stores.All(store => store.Members.Count == count && store.Members.All(member => member.IsUp)), "all are connected");
        return cluster;
    }

    public async Task<ReplicatedStore> AddAsync(int nodeId, IStorage storage, ITransport? transport = null, ReplicatedStoreOptions? options = null)
    {
        var node = await DatacakeNode.StartAsync(settings =>
        {
            settings.WithNodeId(nodeId).ListenOn("127.0.0.1:0").WithGossip(gossip => gossip.UseLocal());
            if (_nodes.Count > 0)
                settings.WithSeeds(_nodes[0].Address);
            if (transport is not null)
                settings.WithTransport(transport);
        });
        _nodes.Add(node);
        options ??= new ReplicatedStoreOptions { ReportInterval = TimeSpan.FromMilliseconds(50) };
        var store = await node.AddExtensionAsync(new ReplicatedStoreExtension(storage, options));
        Stores.Add(store);
        return store;
    }

    public static async Task WaitUntilAsync(Func<bool> condition, string what) => await WaitUntilAsync(() => Task.FromResult(condition()), what);

    public static async Task WaitUntilAsync(Func<Task<bool>> condition, string what)
    {
        var deadline = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(deadline) < Deadline, $"Within {Deadline} it did not happen that {what}.");
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in Enumerable.Reverse(_nodes))
            await node.DisposeAsync();
    }
}
