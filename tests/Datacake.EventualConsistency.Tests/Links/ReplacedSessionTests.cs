using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Tests.Links;

/// <summary>Several streams from one peer to a node.</summary>
public sealed class ReplacedSessionTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Session_is_closed_when_a_second_one_of_a_later_run_opens()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await using var channel = new RpcChannel(cluster[1].Node.Address);
        var hello = await RawSession.HelloAsync(cluster[1].Node.ClusterId);
        await using var first = await RawSession.OpenAsync(channel, hello with { Boot = 1 });
        Assert.IsType<Hello>(await RawSession.ReadAsync(first));
        await using var second = await RawSession.OpenAsync(channel, hello with { Boot = 2 });
        Assert.IsType<Hello>(await RawSession.ReadAsync(second));

        var last = await RawSession.ReadUntilAsync<Refusal>(first);
        Assert.Equal(RefusalKind.Superseded, last.Kind);
        while (await first.ReadAsync(Canceled) is { } rest)
            rest.Dispose();
        await RawSession.ReadUntilAsync<Report>(second);
    }

    [Fact]
    public async Task Stream_that_names_another_node_is_refused_and_ends_no_session()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await using var channel = new RpcChannel(cluster[1].Node.Address);
        var hello = await RawSession.HelloAsync(cluster[1].Node.ClusterId);
        await using var first = await RawSession.OpenAsync(channel, hello with { Boot = 1 });
        Assert.IsType<Hello>(await RawSession.ReadAsync(first));
        await using var second = await RawSession.OpenAsync(channel, hello with { Boot = 1 }, dialed: "2");
        var refusal = Assert.IsType<Refusal>(await RawSession.ReadAsync(second));
        Assert.Contains("not node 2", refusal.Reason, StringComparison.Ordinal);
        await RawSession.ReadUntilAsync<Report>(first);
        await RawSession.ReadUntilAsync<Report>(first);
    }

    [Fact]
    public async Task Peer_that_does_not_start_with_a_hello_is_told_why_it_is_refused()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await using var channel = new RpcChannel(cluster[1].Node.Address);
        await using var stream = await RawSession.OpenAsync(channel, new RollCall(1));
        var refusal = Assert.IsType<Refusal>(await RawSession.ReadAsync(stream));
        Assert.Contains("hello", refusal.Reason, StringComparison.Ordinal);
    }
}
