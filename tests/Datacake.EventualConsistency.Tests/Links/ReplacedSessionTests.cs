using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.EventualConsistency.Tests.Simulation;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Tests.Links;

/// <summary>Several streams from one peer to a node.</summary>
public sealed class ReplacedSessionTests
{
    const byte Peer = 99;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Session_is_closed_when_a_second_one_of_a_later_run_opens()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await using var channel = new RpcChannel(cluster[1].Node.Address);
        var hello = await HelloAsync(cluster[1].Node.ClusterId);
        await using var first = await OpenAsync(channel, hello with { Boot = 1 });
        Assert.IsType<Hello>(await ReadAsync(first));
        await using var second = await OpenAsync(channel, hello with { Boot = 2 });
        Assert.IsType<Hello>(await ReadAsync(second));

        var last = await ReadUntilAsync<Refusal>(first);
        Assert.Equal(RefusalKind.Superseded, last.Kind);
        while (await first.ReadAsync(Canceled) is { } rest)
            rest.Dispose();
        await ReadUntilAsync<Report>(second);
    }

    [Fact]
    public async Task Stream_that_names_another_node_is_refused_and_ends_no_session()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await using var channel = new RpcChannel(cluster[1].Node.Address);
        var hello = await HelloAsync(cluster[1].Node.ClusterId);
        await using var first = await OpenAsync(channel, hello with { Boot = 1 });
        Assert.IsType<Hello>(await ReadAsync(first));
        await using var second = await OpenAsync(channel, hello with { Boot = 1 }, dialed: "2");
        var refusal = Assert.IsType<Refusal>(await ReadAsync(second));
        Assert.Contains("not node 2", refusal.Reason, StringComparison.Ordinal);
        await ReadUntilAsync<Report>(first);
        await ReadUntilAsync<Report>(first);
    }

    [Fact]
    public async Task Peer_that_does_not_start_with_a_hello_is_told_why_it_is_refused()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await using var channel = new RpcChannel(cluster[1].Node.Address);
        await using var stream = await OpenAsync(channel, new RollCall(1));
        var refusal = Assert.IsType<Refusal>(await ReadAsync(stream));
        Assert.Contains("hello", refusal.Reason, StringComparison.Ordinal);
    }

    static async Task<Hello> HelloAsync(string clusterId)
    {
        await using var stage = await Stage.StartAsync(0);
        await stage.AddAsync(Peer);
        return stage[Peer].Replica.Hello() with { ClusterId = clusterId, WallClock = DateTimeOffset.UtcNow };
    }

    static async Task<RpcStream> OpenAsync(RpcChannel channel, ReplicaMessage first, string dialed = "1")
    {
        var options = new RpcCallOptions { Headers = new RpcHeaders(KeyValuePair.Create(SessionService.DialedHeader, dialed)) };
        var stream = await channel.OpenStreamAsync(SessionService.ServiceName, SessionService.SessionMessage, options, Canceled);
        await stream.WriteAsync(first.Encoded, Canceled);
        return stream;
    }

    static async Task<T> ReadUntilAsync<T>(RpcStream stream)
        where T : ReplicaMessage
    {
        while (true)
        {
            if (await ReadAsync(stream) is T found)
                return found;
        }
    }

    static async Task<ReplicaMessage> ReadAsync(RpcStream stream)
    {
        using var payload = await stream.ReadAsync(Canceled).AsTask().WaitAsync(TestCluster.Deadline, Canceled)
            ?? throw new EndOfStreamException();
        return ReplicaMessage.Decode(payload.Memory);
    }
}
