using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Tests.Simulation;
using Datacake.Rpc;

namespace Datacake.EventualConsistency.Tests.Fixtures;

/// <summary>A session with a node in which the test itself is the peer: it sends and receives the messages.</summary>
static class RawSession
{
    /// <summary>The node id of the test.</summary>
    public const byte Peer = 99;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    /// <summary>Returns a hello of the test.</summary>
    public static async Task<Hello> HelloAsync(string clusterId)
    {
        await using var stage = await Stage.StartAsync(0);
        await stage.AddAsync(Peer);
        return stage[Peer].Replica.Hello() with { ClusterId = clusterId, WallClock = DateTimeOffset.UtcNow };
    }

    /// <summary>Opens a stream and sends the first message.</summary>
    public static async Task<RpcStream> OpenAsync(RpcChannel channel, ReplicaMessage first, string dialed = "1")
    {
        var options = new RpcCallOptions { Headers = new RpcHeaders(KeyValuePair.Create(SessionService.DialedHeader, dialed)) };
        var stream = await channel.OpenStreamAsync(StoreHost.OwnServiceName, SessionService.SessionMessage, options, Canceled);
        await stream.WriteAsync(first.Encoded, Canceled);
        return stream;
    }

    /// <summary>Reads messages until there is one of a type.</summary>
    public static async Task<T> ReadUntilAsync<T>(RpcStream stream)
        where T : ReplicaMessage
    {
        while (true)
        {
            if (await ReadAsync(stream) is T found)
                return found;
        }
    }

    /// <summary>Reads the next message.</summary>
    public static async Task<ReplicaMessage> ReadAsync(RpcStream stream)
    {
        using var payload = await stream.ReadAsync(Canceled).AsTask().WaitAsync(TestCluster.Deadline, Canceled)
            ?? throw new EndOfStreamException();
        return ReplicaMessage.Decode(payload.Memory);
    }
}
