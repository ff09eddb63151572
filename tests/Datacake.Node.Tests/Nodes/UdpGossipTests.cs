using System.Net;

namespace Datacake.Node.Tests;

/// <summary>Nodes that gossip in datagrams, among themselves and with a peer that knows nothing but the wire format.</summary>
public sealed class UdpGossipTests : IAsyncLifetime
{
    static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    readonly List<DatacakeNode> _nodes = [];

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await Task.WhenAll(_nodes.Select(node => node.StopAbruptlyAsync().AsTask()));

    [Fact]
    public async Task Nodes_find_each_other_and_one_that_leaves_has_left()
    {
        var first = await StartAsync(1);
        var second = await StartAsync(2, first.Address);
        var third = await StartAsync(3, first.Address);
        foreach (var node in _nodes)
            await node.WaitForNodesAsync(3, Soon, Stop);
        await third.DisposeAsync();
        await foreach (var change in second.WatchMembersAsync(Stop))
            if (change.Member is { NodeId: 3, State: not MemberState.Up })
            {
                Assert.Equal(MemberState.Left, change.Member.State);
                break;
            }
    }

    [Fact]
    public async Task A_node_id_that_is_in_use_is_refused()
    {
        var first = await StartAsync(1);
        await Assert.ThrowsAsync<ClusterRefusedException>(async () => await StartAsync(1, first.Address));
    }

    [Fact]
    public async Task A_peer_that_knows_only_the_wire_format_is_found_exchanges_keys_and_is_judged_live()
    {
        var node = await StartAsync(1);
        node.SetLabel("color", "red");
        using var peer = new RawUdpPeer("9", ("node.address", "10.0.0.9:7001"), ("node.data_center", "rust"), ("greeting", "hello"));
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var answering = AnswerAsync(peer, enough.Token);
        await peer.SendSynAsync(IPEndPoint.Parse(node.Address), "datacake", Stop);
        await node.WaitForNodesAsync([9], Soon, Stop);
        var member = node.Members.Single(member => member.NodeId == 9);
        Assert.Equal(("10.0.0.9:7001", "rust", "hello"), (member.Address, member.DataCenter, member.Labels["greeting"]));
        await enough.CancelAsync();
        await answering;
        Assert.Contains("color", peer.Received.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Damaged_datagrams_change_nothing()
    {
        var node = await StartAsync(1);
        var before = node.Members;
        using var peer = new RawUdpPeer("9");
        var random = new Random(1);
        for (var i = 0; i < 2_000; i++)
        {
            // A whole packet cut short, or with a type, a block or an operation that isn't one.
            var packet = WorkedPackets.All[random.Next(WorkedPackets.All.Length)];
            byte[] damaged = random.Next(2) == 0
                ? packet[..random.Next(packet.Length - 1)]
                : [.. packet.AsSpan(0, 3), (byte)random.Next(4, 256), .. packet.AsSpan(4)];
            await peer.SendAsync(IPEndPoint.Parse(node.Address), damaged, Stop);
        }
        await StartAsync(2, node.Address);
        await node.WaitForNodesAsync(2, Soon, Stop);
        Assert.Equal([1, 2], node.Members.Select(member => (int)member.NodeId));
        Assert.Same(before[0], node.Members[0]);
    }

    static async Task AnswerAsync(RawUdpPeer peer, CancellationToken cancellationToken)
    {
        try
        {
            while (true)
                await peer.AnswerAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Enough.
        }
    }

    async Task<DatacakeNode> StartAsync(int nodeId, params string[] seeds)
    {
        var node = await DatacakeNode.StartAsync(
            options => options.WithNodeId(nodeId).ListenOn("127.0.0.1:0").WithSeeds(seeds)
                .WithGossipTransport(GossipTransport.Udp).WithGossip(gossip => gossip.UseLocal()),
            Stop);
        _nodes.Add(node);
        return node;
    }
}
