using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Storage;
using Datacake.Tests;

namespace Datacake.DistributedLock.Tests;

/// <summary>Nodes on loopback TCP with a provider of locks each. They are numbered from 1.</summary>
sealed class LockCluster : IAsyncDisposable
{
    readonly List<LockNode> _nodes = [];
    readonly ReservedAddresses _addresses = new();

    public sealed record LockNode(DatacakeNode Node, SeverableTransport Transport, DatacakeDistributedLockProvider Locks);

    public LockNode this[int node] => _nodes[node - 1];

    public static async Task<LockCluster> StartAsync(int count, TimeSpan leaseDuration)
    {
        var cluster = new LockCluster();
        string[] addresses = cluster._addresses.Next(count);
        var stores = new List<ReplicatedStore>();
        for (int id = 1; id <= count; id++)
        {
            int number = id;
            var transport = new SeverableTransport();
            var node = await DatacakeNode.StartAsync(options => options
                .WithNodeId(number).ListenOn(addresses[number - 1]).WithSeeds(addresses).WithGossip(gossip => gossip.UseLocal()).WithTransport(transport).UseMemory());
            stores.Add(await node.OpenStoreAsync());
            cluster._nodes.Add(new LockNode(node, transport, new DatacakeDistributedLockProvider(node, options => options.LeaseDuration = leaseDuration)));
        }
        await Eventually.WaitUntilAsync(
            () => stores.All(store => store.SerialStatus is { Sequencer: not null } status && status.VoterCount == count), "all nodes vote, and there is a sequencer");
        return cluster;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.Node.DisposeAsync();
        _addresses.Dispose();
    }
}
