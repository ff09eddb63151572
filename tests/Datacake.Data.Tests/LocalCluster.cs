using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Sqlite;

namespace Datacake.Data.Tests;

/// <summary>Nodes on loopback TCP that start and stop individually. Each has a SQLite file that survives restarts.</summary>
sealed class LocalCluster : IAsyncDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("datacake-data-").FullName;
    readonly ReservedAddresses _reserved = new();
    readonly Dictionary<int, string> _addresses = [];
    readonly Dictionary<int, DatacakeNode> _nodes = [];

    public DatacakeNode this[int nodeId] => _nodes[nodeId];

    /// <summary>Starts a node, or restarts it with the same address and file.</summary>
    public async Task<DatacakeNode> StartAsync(int nodeId, Action<DatacakeNodeOptions>? configure = null)
    {
        if (!_addresses.TryGetValue(nodeId, out string? address))
            _addresses[nodeId] = address = _reserved.Next();
        var node = await DatacakeNode.StartAsync(
            options =>
            {
                options
                    .WithNodeId(nodeId)
                    .ListenOn(address)
                    .WithSeeds([.. _addresses.Where(known => known.Key != nodeId).Select(known => known.Value)])
                    .WithGossip(gossip => gossip.UseLocal())
                    .WithStore(store => store.AcknowledgmentTimeout = Eventually.Deadline)
                    .UseSqlite(Path.Combine(_folder, $"{nodeId}.db"));
                configure?.Invoke(options);
            },
            Token);
        _nodes[nodeId] = node;
        await node.OpenStoreAsync(Token);
        foreach (var known in _nodes.Values)
        {
            var store = await known.OpenStoreAsync(Token);
            await Eventually.WaitUntilAsync(
                () => store.Members.Count(member => member.IsUp) >= _nodes.Count,
                $"node {known.Id} sees all nodes that run");
        }
        return node;
    }

    public async Task StopAsync(int nodeId)
    {
        if (_nodes.Remove(nodeId, out var node))
            await node.DisposeAsync();
    }

    /// <summary>Waits until a keyspace has the same contents on all running nodes.</summary>
    public async Task WaitUntilEqualAsync(string keyspace) => await Eventually.WaitUntilAsync(
        async () =>
        {
            var shown = new List<KeyspaceStatistics>();
            foreach (var node in _nodes.Values)
                shown.Add(await (await node.OpenStoreAsync(Token)).Keyspace(keyspace).GetStatisticsAsync(Token));
            return shown.TrueForAll(one => one == shown[0]) && shown[0].Count > 0;
        },
        $"all nodes show the same of '{keyspace}'");

    public async ValueTask DisposeAsync()
    {
        foreach (int nodeId in _nodes.Keys.ToList())
            await StopAsync(nodeId);
        _reserved.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
