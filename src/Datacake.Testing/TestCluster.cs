using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Testing;

/// <summary>
/// A cluster of nodes in memory. Nodes are numbered from 0, which is also their node id. They can be stopped, restarted and cut off from
/// each other. Not thread-safe, apart from its nodes.
/// </summary>
public sealed class TestCluster : IAsyncDisposable
{
    const int MaxNodes = 100;

    /// <summary>The index of a keyspace with documents that expire.</summary>
    const string ExpiryIndex = "datacake.expires";

    static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);

    static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);

    readonly TestNetwork _network = new();
    readonly TestNode[] _nodes;

    TestCluster(int count, Action<int, DatacakeNodeOptions>? configure) => _nodes = [.. Enumerable.Range(0, count).Select(node => CreateNode(node, count, configure))];

    /// <summary>Gets the number of nodes, including those that are stopped.</summary>
    public int Count => _nodes.Length;

    /// <summary>Gets a node by its number.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no node with this number.</exception>
    public TestNode this[int node]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(node);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(node, _nodes.Length);
            return _nodes[node];
        }
    }

    /// <summary>Starts a cluster with empty stores, and waits until all nodes are connected with each other.</summary>
    /// <param name="count">The number of nodes, from 1 to 100.</param>
    /// <param name="configure">
    /// Changes the options of each node: <c>(node, options) =&gt; options.InDataCenter(node &lt; 2 ? "eu" : "us")</c>. It can replace the
    /// options that the nodes have by default, apart from their ids, addresses and transport.
    /// </param>
    /// <param name="cancellationToken">Cancels the start.</param>
    public static async Task<TestCluster> StartAsync(
        int count, Action<int, DatacakeNodeOptions>? configure = null, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxNodes);
        var cluster = new TestCluster(count, configure);
        try
        {
            foreach (var node in cluster._nodes)
                await node.OpenAsync(cancellationToken).ConfigureAwait(false);
            await cluster.WaitUntilConnectedAsync(cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await cluster.DisposeAsync().ConfigureAwait(false);
            throw;
        }
        return cluster;
    }

    /// <summary>Cuts a node off from all others: its connections break, and no new ones open.</summary>
    public void Cut(int node)
    {
        _ = this[node];
        foreach (int other in Enumerable.Range(0, Count).Where(other => other != node))
            _network.Cut(node, other);
    }

    /// <summary>Cuts the link between two nodes.</summary>
    public void Cut(int first, int second)
    {
        _ = (this[first], this[second]);
        _network.Cut(first, second);
    }

    /// <summary>Restores all links. The nodes connect again within a second: see <see cref="WaitUntilConnectedAsync"/>.</summary>
    public void Heal() => _network.Heal();

    /// <summary>Stops a node, which tells the others. Its storage is kept. Does nothing if the node is stopped.</summary>
    public Task StopAsync(int node) => this[node].DisposeAsync().AsTask();

    /// <summary>Stops a node without telling the others, as in a crash. Its storage is kept. Does nothing if the node is stopped.</summary>
    public Task StopAbruptlyAsync(int node) => this[node].CloseAsync(static node => node.StopAbruptlyAsync()).AsTask();

    /// <summary>
    /// Starts a node that is stopped, with its storage, its address and its clock, and waits until it is connected with the others, unless
    /// links are cut. Does nothing if the node is running.
    /// </summary>
    public async Task StartAsync(int node)
    {
        if (this[node].IsRunning)
            return;
        await _nodes[node].OpenAsync(CancellationToken.None).ConfigureAwait(false);
        if (!_network.IsCut)
            await WaitUntilConnectedAsync().ConfigureAwait(false);
    }

    /// <summary>Waits until all running nodes have joined the cluster and are connected with each other.</summary>
    /// <param name="timeout">The maximum time to wait; null for 30 s.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="TimeoutException">The nodes were not connected in time. The message says which ones.</exception>
    public Task WaitUntilConnectedAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        WaitAsync(_ => ValueTask.FromResult(FindDisconnected()), "are not connected", timeout, cancellationToken);

    /// <summary>Waits until all running nodes show the same documents in all keyspaces.</summary>
    /// <param name="timeout">The maximum time to wait; null for 30 s.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="TimeoutException">The nodes still differ. The message says in which keyspaces, and which links are cut.</exception>
    public Task WaitUntilSameAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        WaitAsync(FindDifferenceAsync, "differ", timeout, cancellationToken);

    /// <summary>Stops all nodes.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Reverse())
            await node.DisposeAsync().ConfigureAwait(false);
    }

    TestNode CreateNode(int node, int count, Action<int, DatacakeNodeOptions>? configure)
    {
        var storage = new KeptStorage();
        return new TestNode(node, options =>
        {
            options.ListenOn(TestNetwork.AddressOf(node)).WithTransport(_network.TransportOf(node)).WithSeeds(Enumerable.Range(0, count).Select(TestNetwork.AddressOf))
                .WithStore(store => store.FormCluster = node == 0).UseStorage(() => storage);
            options.AllowReplacing();
            configure?.Invoke(node, options);
        });
    }

    async Task WaitAsync(Func<CancellationToken, ValueTask<string?>> find, string problem, TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var limit = timeout ?? DefaultTimeout;
        long start = TimeProvider.System.GetTimestamp();
        using var poll = new PeriodicTimer(PollInterval);
        while (await find(cancellationToken).ConfigureAwait(false) is { } found)
        {
            if (TimeProvider.System.GetElapsedTime(start) >= limit)
                throw new TimeoutException($"The nodes still {problem} after {limit.TotalSeconds:0.###} s. {found}{_network.Describe()}");
            await poll.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    string? FindDisconnected()
    {
        TestNode[] running = [.. _nodes.Where(node => node.IsRunning)];
        foreach (var node in running)
        {
            if (!node.Store.JoinStatus.IsJoined)
                return $"Node {node.Node.Id} has not joined the cluster.";
            var up = node.Store.Members.Where(member => member.IsUp).Select(member => member.NodeId).ToHashSet();
            var missing = running.Select(other => other.Node.Id).Where(other => !up.Contains(other)).ToArray();
            if (missing.Length > 0)
                return $"Node {node.Node.Id} is not connected with {string.Join(", ", missing)}.";
        }
        return null;
    }

    async ValueTask<string?> FindDifferenceAsync(CancellationToken cancellationToken)
    {
        TestNode[] running = [.. _nodes.Where(node => node.IsRunning)];
        if (running.FirstOrDefault(node => !node.Store.JoinStatus.IsJoined) is { } waiting)
            return $"Node {waiting.Node.Id} has not joined the cluster.";
        var differences = new List<string>();
        foreach (string name in running.SelectMany(node => node.Store.ListKeyspaces()).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var shown = new List<(byte Node, KeyspaceStatistics Statistics)>();
            foreach (var node in running)
                shown.Add((node.Node.Id, await ReadStatisticsAsync(node.Store, name, cancellationToken).ConfigureAwait(false)));
            if (shown.Exists(one => one.Statistics != shown[0].Statistics))
                differences.Add($"Keyspace '{name}': {string.Join(", ", shown.Select(Describe))}.");
        }
        return differences.Count == 0 ? null : string.Join(" ", differences);

        static async ValueTask<KeyspaceStatistics> ReadStatisticsAsync(ReplicatedStore store, string keyspace, CancellationToken cancellationToken)
        {
            var documents = store.Keyspace(keyspace);
            var statistics = await documents.GetStatisticsAsync(cancellationToken).ConfigureAwait(false);
            if (!store.ListIndexes(keyspace).Any(static index => index.Name == ExpiryIndex))
                return statistics;
            // The fingerprint leaves out documents that expire, because nodes remove them at different times.
            var sum = statistics.Fingerprint;
            await foreach (var document in documents.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                var hash = new HashCode();
                hash.Add(document.Key);
                hash.Add(document.Document.Born);
                hash.Add(document.Document.Touched);
                sum += (uint)hash.ToHashCode();
            }
            return statistics with { Fingerprint = sum };
        }

        static string Describe((byte Node, KeyspaceStatistics Statistics) shown) =>
            $"node {shown.Node} has {shown.Statistics.Count} documents with the fingerprint {shown.Statistics.Fingerprint:X8}";
    }
}
