using Datacake.Storage;

namespace Datacake.Node.Tests;

public sealed class DatacakeNodeOptionsTests
{
    [Fact]
    public async Task A_node_without_an_id_does_not_start() =>
        await AssertRefusedAsync<InvalidOperationException>(options => options.ListenOn("127.0.0.1:0"), "WithNodeId");

    [Fact]
    public async Task A_node_without_an_address_does_not_start() =>
        await AssertRefusedAsync<InvalidOperationException>(options => options.WithNodeId(1), "ListenOn");

    [Theory]
    [InlineData(-1)]
    [InlineData(256)]
    public async Task Node_id_outside_0_to_255_is_refused(int nodeId) =>
        await AssertRefusedAsync<ArgumentOutOfRangeException>(options => options.WithNodeId(nodeId), "from 0 to 255");

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1:")]
    [InlineData(":7001")]
    [InlineData("127.0.0.1:70000")]
    [InlineData("::1:7001")]
    [InlineData("[shop]:7001")]
    [InlineData("a b:7001")]
    public async Task Address_without_a_host_and_a_port_is_refused(string address)
    {
        await AssertRefusedAsync<ArgumentException>(options => options.ListenOn(address), "host:port");
        await AssertRefusedAsync<ArgumentException>(options => options.WithSeeds(address), "host:port");
        await AssertRefusedAsync<ArgumentException>(options => options.AdvertiseAs(address), "host:port");
    }

    [Fact]
    public async Task Seed_without_a_port_is_refused() =>
        await AssertRefusedAsync<ArgumentException>(options => options.WithSeeds("127.0.0.1:0"), "port 0");

    [Theory]
    [InlineData("0.0.0.0:7001")]
    [InlineData("[::]:7001")]
    public async Task Node_that_listens_on_all_interfaces_needs_an_advertised_address(string address)
    {
        await AssertRefusedAsync<InvalidOperationException>(options => options.WithNodeId(1).ListenOn(address), "AdvertiseAs");
        await AssertRefusedAsync<ArgumentException>(options => options.AdvertiseAs(address), "all interfaces");
    }

    [Fact]
    public async Task Option_that_is_set_twice_is_refused()
    {
        await AssertRefusedAsync<InvalidOperationException>(
            options => options.WithNodeId(1).WithNodeId(2), "node id of the node is set twice");
        await AssertRefusedAsync<InvalidOperationException>(options => options.UseMemory().UseMemory(), "storage of the node is set twice");
        await AssertRefusedAsync<ArgumentException>(options => options.WithLabel("a", "1").WithLabel("a", "2"), "The label 'a' is set twice");
    }

    [Fact]
    public async Task Keys_of_the_node_itself_are_refused_as_labels() =>
        await AssertRefusedAsync<ArgumentException>(options => options.WithLabel("node.address", "x"), "'node.'");

    [Fact]
    public async Task Label_that_is_invalid_text_or_too_long_is_refused()
    {
        await AssertRefusedAsync<ArgumentException>(options => options.WithLabel("a", "\ud800"), "surrogate");
        await AssertRefusedAsync<ArgumentException>(options => options.WithLabel("a", new string('x', 70_000)), "70001 bytes");
    }

    [Fact]
    public async Task Invalid_gossip_options_are_refused() => await AssertRefusedAsync<InvalidOperationException>(
        options => options.WithNodeId(1).ListenOn("127.0.0.1:0").WithGossip(gossip => gossip.Interval = TimeSpan.Zero), "Interval");

    [Theory]
    [InlineData(nameof(GossipOptions.Interval))]
    [InlineData(nameof(GossipOptions.InitialHeartbeatInterval))]
    [InlineData(nameof(GossipOptions.MaxHeartbeatInterval))]
    [InlineData(nameof(GossipOptions.ExchangeTimeout))]
    [InlineData(nameof(GossipOptions.KeepAlive))]
    [InlineData(nameof(GossipOptions.MinSilence))]
    public async Task Gossip_times_beyond_the_range_of_a_timer_are_refused(string option)
    {
        foreach (var time in (TimeSpan[])[TimeSpan.FromDays(60), TimeSpan.MaxValue])
        {
            await AssertRefusedAsync<InvalidOperationException>(
                options => options.WithNodeId(1).ListenOn("127.0.0.1:0").WithGossip(
                    gossip => typeof(GossipOptions).GetProperty(option)!.SetValue(gossip, time)),
                $"{option} is {time}. It must be at most 49 days");
        }
    }

    [Fact]
    public async Task Nodes_can_be_remembered_forever()
    {
        await using var node = await DatacakeNode.StartAsync(
            options => options.WithNodeId(1).ListenOn("127.0.0.1:0").WithGossip(gossip =>
            {
                gossip.UseLocal();
                gossip.ForgetAfter = gossip.TombstoneLifetime = gossip.SeedResolveInterval = TimeSpan.MaxValue;
            }),
            TestContext.Current.CancellationToken);
        await using var second = await DatacakeNode.StartAsync(
            options => options.WithNodeId(2).ListenOn("127.0.0.1:0").WithSeeds(node.Address).WithGossip(gossip => gossip.UseLocal()),
            TestContext.Current.CancellationToken);
        await node.WaitForNodesAsync(2, TimeSpan.MaxValue, TestContext.Current.CancellationToken);
        await node.WaitForNodesAsync([2], TimeSpan.FromDays(60), TestContext.Current.CancellationToken);
        await node.WaitForNodesAsync([2], Timeout.InfiniteTimeSpan, TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => node.WaitForNodesAsync(3, TimeSpan.MinValue, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("shop-2", 0, 2)]
    [InlineData("shop-0.cake.default.svc.cluster.local", 1, 1)]
    [InlineData("shop-255", 0, 255)]
    [InlineData("edge7", 0, 7)]
    public void A_node_id_is_the_number_at_the_end_of_the_host_name(string hostName, int offset, int nodeId)
        => Assert.Equal(nodeId, (int)new DatacakeNodeOptions().WithNodeIdFromHostName(offset, hostName).NodeId!);

    [Theory]
    [InlineData("shop", 0, "'shop' does not end with a number")]
    [InlineData("shop.cake-3", 0, "'shop.cake-3' does not end with a number")]
    [InlineData("shop-256", 0, "The number 256 at the end of the host name 'shop-256'")]
    [InlineData("shop-255", 1, "The number 255 at the end of the host name 'shop-255', with the offset 1")]
    [InlineData("shop-0", -1, "not between 0 and 255")]
    [InlineData("shop-99999999999999999999", 0, "not between 0 and 255")]
    public void Host_name_without_a_node_id_is_refused_by_name(string hostName, int offset, string message)
    {
        var error = Assert.Throws<InvalidOperationException>(() => new DatacakeNodeOptions().WithNodeIdFromHostName(offset, hostName));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keep_alive_of_connections_follows_the_preset_unless_it_is_set()
    {
        var options = new DatacakeNodeOptions();
        Assert.Equal(TimeSpan.FromSeconds(2), options.RpcLimits.KeepAlive);
        options.WithGossip(gossip => gossip.UseWan());
        Assert.Equal(TimeSpan.FromSeconds(6), options.RpcLimits.KeepAlive);
        options.WithRpcLimits(limits => limits.KeepAlive *= 2).WithRpcLimits(limits => limits.Connections = 99);
        Assert.Equal((TimeSpan.FromSeconds(12), 99), (options.RpcLimits.KeepAlive, options.RpcLimits.Connections));
    }

    [Fact]
    public async Task Invalid_connection_limits_are_refused() => await AssertRefusedAsync<InvalidOperationException>(
        options => options.WithNodeId(1).ListenOn("127.0.0.1:0").WithRpcLimits(limits => limits.Connections = 0), "Connections");

    static async Task AssertRefusedAsync<TException>(Action<DatacakeNodeOptions> configure, string message)
        where TException : Exception
    {
        var error = await Assert.ThrowsAsync<TException>(
            async () => await DatacakeNode.StartAsync(configure, TestContext.Current.CancellationToken));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
