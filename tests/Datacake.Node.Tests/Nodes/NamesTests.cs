using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Datacake.Node.Tests;

/// <summary>Nodes that are addressed by names, with the test's own name service, on several loopback addresses.</summary>
public sealed class NamesTests : IAsyncLifetime
{
    static TimeSpan Soon => Eventually.Deadline;

    readonly ConcurrentDictionary<string, string[]> _hosts = new();
    readonly List<DatacakeNode> _nodes = [];
    readonly CollectingLog _log = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await Task.WhenAll(_nodes.Select(node => node.StopAbruptlyAsync().AsTask()));

    [Theory]
    [InlineData(GossipTransport.Rpc)]
    [InlineData(GossipTransport.Udp)]
    public async Task Node_that_listens_on_a_host_name_advertises_the_name_and_is_found_by_it(GossipTransport transport)
    {
        var first = await StartAsync(1, options => options.ListenOn("localhost:0").WithGossipTransport(transport), isResolverReal: true);
        Assert.StartsWith("localhost:", first.Address, StringComparison.Ordinal);
        await StartAsync(
            2, options => options.ListenOn("localhost:0").WithSeeds(first.Address).WithGossipTransport(transport), isResolverReal: true);
        foreach (var node in _nodes)
            await node.WaitForNodesAsync([1, 2], Soon, Stop);
        Assert.Equal(first.Address, _nodes[1].Members[0].Address);
    }

    [Theory]
    [InlineData(GossipTransport.Rpc)]
    [InlineData(GossipTransport.Udp)]
    public async Task One_name_that_resolves_to_all_nodes_is_enough_as_a_seed(GossipTransport transport)
    {
        string[] hosts = ["127.0.0.2", "127.0.0.3", "127.0.0.4"];
        using var port = new ReservedPort(hosts);
        _hosts["cake"] = hosts;
        for (var i = 0; i < hosts.Length; i++)
        {
            var address = $"{hosts[i]}:{port.Number}";
            await StartAsync(i + 1, options => options.ListenOn(address).WithSeeds($"cake:{port.Number}").WithGossipTransport(transport));
        }

        foreach (var node in _nodes)
        {
            await node.WaitForNodesAsync([1, 2, 3], Soon, Stop);
            await UntilContactsAsync(node, [.. Enumerable.Range(1, 3).Select(id => id == node.Id
                ? $"cake:{port.Number} {hosts[id - 1]}:{port.Number} Itself {id}"
                : $"cake:{port.Number} {hosts[id - 1]}:{port.Number} Reached {id}")]);
        }
    }

    [Theory]
    [InlineData(GossipTransport.Rpc)]
    [InlineData(GossipTransport.Udp)]
    public async Task Dial_that_reaches_the_node_itself_is_recognized_whatever_name_is_used(GossipTransport transport)
    {
        _hosts["me"] = ["127.0.1.1"];
        using var port = new ReservedPort("127.0.0.1", "127.0.0.5", "127.0.1.1");
        var node = await StartAsync(1, options => options
            .AllowAnyone().ListenOn($"0.0.0.0:{port.Number}").AdvertiseAs($"127.0.0.1:{port.Number}")
            .WithSeeds($"127.0.0.1:{port.Number}", $"127.0.0.5:{port.Number}", $"me:{port.Number}")
            .WithGossipTransport(transport));
        await UntilContactsAsync(
            node,
            $"127.0.0.1:{port.Number} 127.0.0.1:{port.Number} Itself 1",
            $"127.0.0.5:{port.Number} 127.0.0.5:{port.Number} Itself 1",
            $"me:{port.Number} 127.0.1.1:{port.Number} Itself 1");
        Assert.Single(node.Members);
    }

    [Fact]
    public async Task Datagrams_of_both_families_reach_a_node_on_all_interfaces()
    {
        Needs.IPv6();
        using var port = new ReservedPort("127.0.0.1");
        var first = await StartAsync(1, options => options
            .AllowAnyone().ListenOn($"[::]:{port.Number}").AdvertiseAs($"127.0.0.1:{port.Number}").WithGossipTransport(GossipTransport.Udp));
        await StartAsync(2, options => options
            .ListenOn("127.0.0.1:0").WithSeeds(first.Address).WithGossipTransport(GossipTransport.Udp));
        await StartAsync(3, options => options
            .ListenOn("[::1]:0").WithSeeds($"[::1]:{port.Number}").WithGossipTransport(GossipTransport.Udp));
        await first.WaitForNodesAsync([1, 2, 3], Soon, Stop);
    }

    [Fact]
    public async Task Seed_contact_shows_the_result_of_the_last_dial()
    {
        using var port = new ReservedPort("127.0.0.6", "127.0.0.7");
        var node = await StartAsync(1, options => options.ListenOn("127.0.0.1:0").WithSeeds($"shop:{port.Number}", $"127.0.0.7:{port.Number}"));
        Assert.Equal([SeedContactState.NotResolved, SeedContactState.NotReached], node.SeedContacts.Select(contact => contact.State));
        Assert.Null(node.SeedContacts[0].Endpoint);
        Assert.All(node.SeedContacts, contact => Assert.NotNull(contact.Failure));

        _hosts["shop"] = ["127.0.0.6"];
        var second = await StartAsync(2, options => options.ListenOn($"127.0.0.6:{port.Number}"));
        await StartAsync(3, options => options.ListenOn($"127.0.0.7:{port.Number}").WithClusterId("another"));
        await UntilContactsAsync(
            node, $"shop:{port.Number} 127.0.0.6:{port.Number} Reached 2", $"127.0.0.7:{port.Number} 127.0.0.7:{port.Number} Refused 3");

        await second.DisposeAsync();
        await UntilContactsAsync(
            node, $"shop:{port.Number} 127.0.0.6:{port.Number} NotReached ", $"127.0.0.7:{port.Number} 127.0.0.7:{port.Number} Refused 3");
        await StartAsync(4, options => options.ListenOn($"127.0.0.6:{port.Number}"));
        await UntilContactsAsync(
            node, $"shop:{port.Number} 127.0.0.6:{port.Number} Reached 4", $"127.0.0.7:{port.Number} 127.0.0.7:{port.Number} Refused 3");
    }

    [Fact]
    public async Task Node_that_can_dial_but_not_be_dialed_is_up_and_is_shown_as_left_after_it_leaves()
    {
        var first = await StartAsync(1, options => options.ListenOn("127.0.0.1:0"));
        // The advertised address leads nowhere, as behind a NAT.
        using var port = new ReservedPort("127.0.0.1");
        var second = await StartAsync(
            2, options => options.ListenOn("127.0.0.1:0").AdvertiseAs($"127.0.0.1:{port.Number}").WithSeeds(first.Address));
        await first.WaitForNodesAsync([1, 2], Soon, Stop);
        await second.DisposeAsync();
        await first.UntilAsync(members => members is [_, { State: MemberState.Left }]);
    }

    [Fact]
    public async Task Node_on_all_interfaces_whose_name_resolves_to_loopback_warns_at_start()
    {
        _hosts["own-name"] = ["127.0.1.1"];
        _hosts["public-name"] = ["127.0.1.1", "10.0.0.1"];
        await StartAsync(1, options => options.AllowAnyone().ListenOn("0.0.0.0:0").AdvertiseAs("public-name:0"));
        await StartAsync(2, options => options.ListenOn("127.0.0.1:0").AdvertiseAs("own-name:0"));
        Assert.False(_log.Contains("listens on all interfaces"));
        await StartAsync(3, options => options.AllowAnyone().ListenOn("0.0.0.0:0").AdvertiseAs("own-name:0"));
        await _log.WaitUntilAsync("Node 3 listens on all interfaces", "'own-name:", "the loopback endpoint 127.0.1.1:", "hosts file");
    }

    [Theory]
    [InlineData("0.0.0.0:0")]
    [InlineData("[::]:0")]
    [InlineData("shop:0")]
    public async Task Unsecured_node_that_strangers_could_reach_does_not_start(string address)
    {
        _hosts["shop"] = ["127.0.0.1", "10.0.0.1"];
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(
            () => StartAsync(1, options => options.ListenOn(address).AdvertiseAs("127.0.0.1:7001")));
        Assert.Contains($"'{address}'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("AllowAnyone()", failure.Message, StringComparison.Ordinal);
        await StartAsync(
            1, options => options.ListenOn("0.0.0.0:0").AdvertiseAs("127.0.0.1:0").WithClusterSecret("correct horse battery staple"));
    }

    static Task UntilContactsAsync(DatacakeNode node, params string[] expected) => Eventually.WaitUntilAsync(
        () => Describe(node).SequenceEqual(expected),
        () => $"the seed contacts of node {node.Id} are {string.Join(", ", expected)}, but: {string.Join(", ", Describe(node))}");

    static IEnumerable<string> Describe(DatacakeNode node)
        => node.SeedContacts.Select(contact => $"{contact.Seed} {contact.Endpoint} {contact.State} {contact.NodeId}");

    Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) => _hosts.TryGetValue(host, out var addresses)
        ? Task.FromResult(addresses.Select(IPAddress.Parse).ToArray())
        : Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound));

    async Task<DatacakeNode> StartAsync(int nodeId, Action<DatacakeNodeOptions> configure, bool isResolverReal = false)
    {
        var node = await DatacakeNode.StartAsync(
            options =>
            {
                if (!isResolverReal)
                    options.ResolveHost = ResolveAsync;
                options.WithNodeId(nodeId).WithLoggerFactory(_log).WithGossip(gossip =>
                {
                    gossip.UseLocal();
                    gossip.SeedResolveInterval = TimeSpan.FromMilliseconds(50);
                });
                configure(options);
            },
            Stop);
        _nodes.Add(node);
        return node;
    }
}
