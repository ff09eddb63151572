using System.Net;
using System.Net.Sockets;
using Datacake.Node.Gossip;
using Datacake.Node.Network;

namespace Datacake.Node.Tests;

/// <summary>Nodes that gossip in datagrams, among themselves and with a peer that knows only the wire format.</summary>
public sealed class UdpGossipTests : IAsyncLifetime
{
    static TimeSpan Soon => Eventually.Deadline;

    readonly List<DatacakeNode> _nodes = [];
    readonly ReservedAddresses _addresses = new();
    readonly CollectingLog _log = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.StopAbruptlyAsync().AsTask()));
        _addresses.Dispose();
    }

    [Fact]
    public async Task Nodes_find_each_other_and_one_that_leaves_is_shown_as_left()
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
    public async Task A_message_of_the_maximum_length_is_sent_in_one_datagram()
    {
        using var peer = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var address = (IPEndPoint)peer.Client.LocalEndPoint!;
        await using var link = UdpGossipLink.Bind(
            new IPEndPoint(IPAddress.Loopback, 0), seal: null, Dns.GetHostAddressesAsync, TimeSpan.FromMinutes(1), TimeProvider.System, _log);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var exchange = link.ExchangeAsync(new GossipTarget(address), 1, new byte[link.MaxMessageLength], enough.Token);
        var received = peer.ReceiveAsync(Stop).AsTask();
        // If the datagram is refused, the exchange ends at once.
        Assert.Same(received, await Task.WhenAny(received, exchange));
        Assert.Equal(65_507, (await received).Buffer.Length);
        await enough.CancelAsync();
        await exchange;
    }

    [Fact]
    public async Task A_node_id_that_is_in_use_is_refused()
    {
        var first = await StartAsync(1);
        await Assert.ThrowsAsync<ClusterRefusedException>(async () => await StartAsync(1, first.Address));
    }

    [Fact]
    public async Task Peer_that_knows_only_the_wire_format_is_found_exchanges_keys_and_is_considered_live()
    {
        var node = await StartAsync(1);
        node.SetLabel("color", "red");
        using var peer = new RawUdpPeer(_addresses.Next(), "9", ("node.address", "10.0.0.9:7001"), ("node.data_center", "rust"), ("greeting", "hello"));
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
    public async Task Leaving_node_waits_for_the_answer_to_its_farewell_whatever_else_its_peer_sends()
    {
        var node = await StartAsync(1);
        using var peer = new RawUdpPeer(_addresses.Next(), "9", ("node.address", "10.0.0.9:7001"));
        using (var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop))
        {
            var answering = AnswerAsync(peer, enough.Token);
            await peer.SendSynAsync(IPEndPoint.Parse(node.Address), "datacake", Stop);
            await node.WaitForNodesAsync([9], Soon, Stop);
            await enough.CancelAsync();
            await answering;
        }

        peer.Forget();
        var stopping = node.DisposeAsync().AsTask();
        // The node answers this message while it waits for the answer to its own message, which is lost.
        await peer.SendSynAsync(IPEndPoint.Parse(node.Address), "datacake", Stop);
        await peer.DropUntilAsync([0, 1], Stop);
        Assert.False(stopping.IsCompleted);
        await peer.SendSynAckAsync(IPEndPoint.Parse(node.Address), Stop);
        using var stopped = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var answeringAgain = AnswerAsync(peer, stopped.Token);
        await stopping.WaitAsync(Soon, Stop);
        await Eventually.WaitUntilAsync(() => peer.Received.ToString().Contains("left", StringComparison.Ordinal), "the farewell arrives");
        await stopped.CancelAsync();
        await answeringAgain;
    }

    [Fact]
    public async Task Peer_of_another_implementation_with_an_id_in_use_is_logged_and_is_not_a_member()
    {
        var first = await StartAsync(1);
        var second = await StartAsync(2, first.Address);
        using var peer = new RawUdpPeer(_addresses.Next(), "1", ("node.address", "10.0.0.9:7001"));
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var answering = AnswerAsync(peer, enough.Token);
        await peer.SendSynAsync(IPEndPoint.Parse(second.Address), "datacake", Stop);
        await _log.WaitUntilAsync($"A node of another implementation, node 1 at {peer.Address}");
        await second.WaitForNodesAsync([1, 2], Soon, Stop);
        Assert.Equal([first.Address, second.Address], second.Members.Select(member => member.Address));
        Assert.Equal([first.Address, second.Address], first.Members.Select(member => member.Address));
        await enough.CancelAsync();
        await answering;
    }

    [Fact]
    public async Task Random_and_mutated_datagrams_change_nothing_and_exclude_no_node()
    {
        // The cluster id is that of the captured packets, so that the garbage is not refused because of a wrong cluster.
        const string Cluster = "demo";
        var first = await StartInAsync(Cluster, WithLosses, 1);
        first.SetLabel("color", "red");
        var second = await StartInAsync(Cluster, WithLosses, 2, first.Address);
        foreach (var node in _nodes)
            await node.WaitForNodesAsync(2, Soon, Stop);
        var before = _nodes.Select(node => node.Members).ToArray();

        using var peer = new RawUdpPeer(_addresses.Next(), "9");
        var random = new Random(1);
        for (var i = 0; i < Garbage.PacketCount; i++)
        {
            await peer.SendAsync(IPEndPoint.Parse(_nodes[i % 2].Address), Garbage.Packet(random), Stop);
            // A full socket buffer drops datagrams. An occasional answer shows that the node has read everything before.
            if (i % 100 == 0)
                await peer.ProvokeAnswerAsync(IPEndPoint.Parse(_nodes[i / 100 % 2].Address), Cluster, Stop);
        }

        var third = await StartInAsync(Cluster, WithLosses, 3, second.Address);
        foreach (var node in _nodes)
            await node.WaitForNodesAsync([1, 2, 3], Soon, Stop);
        for (var i = 0; i < 2; i++)
            Assert.Equal(before[i].Select(Describe), _nodes[i].Members.Where(member => member.NodeId != 3).Select(Describe));
        Assert.Equal([1, 2, 3], third.Members.Select(member => (int)member.NodeId));

        // Among so many datagrams, those of an exchange are lost occasionally.
        static void WithLosses(GossipOptions gossip) => gossip.UsePatient().ExchangeTimeout = TimeSpan.FromSeconds(2);

        static string Describe(ClusterMember member)
            => $"{member} {member.Generation} {string.Join(", ", member.Labels.Select(label => $"{label.Key}={label.Value}"))}";
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
            // The time is up.
        }
    }

    Task<DatacakeNode> StartAsync(int nodeId, params string[] seeds) => StartInAsync("datacake", gossip => gossip.UsePatient(), nodeId, seeds);

    async Task<DatacakeNode> StartInAsync(string clusterId, Action<GossipOptions> gossip, int nodeId, params string[] seeds)
    {
        var node = await DatacakeNode.StartAsync(
            options => options.WithNodeId(nodeId).WithClusterId(clusterId).ListenOn(_addresses.Next()).WithSeeds(seeds)
                .WithGossipTransport(GossipTransport.Udp).WithGossip(gossip).WithLoggerFactory(_log),
            Stop);
        _nodes.Add(node);
        return node;
    }
}
