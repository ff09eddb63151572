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
    public async Task A_node_id_is_from_0_to_255(int nodeId) =>
        await AssertRefusedAsync<ArgumentOutOfRangeException>(options => options.WithNodeId(nodeId), "from 0 to 255");

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1:")]
    [InlineData(":7001")]
    [InlineData("127.0.0.1:70000")]
    [InlineData("::1:7001")]
    [InlineData("[shop]:7001")]
    [InlineData("a b:7001")]
    public async Task An_address_is_a_host_and_a_port(string address)
    {
        await AssertRefusedAsync<ArgumentException>(options => options.ListenOn(address), "host:port");
        await AssertRefusedAsync<ArgumentException>(options => options.WithSeeds(address), "host:port");
        await AssertRefusedAsync<ArgumentException>(options => options.AdvertiseAs(address), "host:port");
    }

    [Fact]
    public async Task A_seed_has_a_port() =>
        await AssertRefusedAsync<ArgumentException>(options => options.WithSeeds("127.0.0.1:0"), "port 0");

    [Theory]
    [InlineData("0.0.0.0:7001")]
    [InlineData("[::]:7001")]
    public async Task A_node_that_listens_on_all_interfaces_says_where_others_reach_it(string address)
    {
        await AssertRefusedAsync<InvalidOperationException>(options => options.WithNodeId(1).ListenOn(address), "AdvertiseAs");
        await AssertRefusedAsync<ArgumentException>(options => options.AdvertiseAs(address), "all interfaces");
    }

    [Fact]
    public async Task Nothing_is_set_twice()
    {
        await AssertRefusedAsync<InvalidOperationException>(
            options => options.WithNodeId(1).WithNodeId(2), "node id of the node is set twice");
        await AssertRefusedAsync<InvalidOperationException>(options => options.UseMemory().UseMemory(), "storage of the node is set twice");
        await AssertRefusedAsync<ArgumentException>(options => options.WithLabel("a", "1").WithLabel("a", "2"), "'a' was given already");
    }

    [Fact]
    public async Task The_keys_of_the_node_itself_are_no_labels() =>
        await AssertRefusedAsync<ArgumentException>(options => options.WithLabel("node.address", "x"), "'node.'");

    [Fact]
    public async Task A_label_is_text_and_not_too_long()
    {
        await AssertRefusedAsync<ArgumentException>(options => options.WithLabel("a", "\ud800"), "surrogate");
        await AssertRefusedAsync<ArgumentException>(options => options.WithLabel("a", new string('x', 70_000)), "70001 bytes");
    }

    [Fact]
    public async Task Gossip_options_that_make_no_sense_are_refused() => await AssertRefusedAsync<InvalidOperationException>(
        options => options.WithNodeId(1).ListenOn("127.0.0.1:0").WithGossip(gossip => gossip.Interval = TimeSpan.Zero), "Interval");

    static async Task AssertRefusedAsync<TException>(Action<DatacakeNodeOptions> configure, string message)
        where TException : Exception
    {
        var error = await Assert.ThrowsAsync<TException>(
            async () => await DatacakeNode.StartAsync(configure, TestContext.Current.CancellationToken));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }
}
