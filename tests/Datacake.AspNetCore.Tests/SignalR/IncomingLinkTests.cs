using System.Buffers;
using Datacake.Rpc;
using MessagePack;

namespace Datacake.AspNetCore.Tests.SignalR;

/// <summary>Entries that peers of another version, and faulty ones, may send.</summary>
public class IncomingLinkTests
{
    static readonly RpcHeaders Greeting = new(new("node", "1"), new("address", "127.0.0.1:7001"), new("instance", "test"));

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("", "")]
    [InlineData("node", "0")]               // the receiver's own id
    [InlineData("node", "256")]
    [InlineData("address", "")]
    [InlineData("instance", "")]
    public async Task Stream_that_does_not_name_its_node_is_refused(string header, string value)
    {
        await using var cluster = await HubCluster.StartAsync(2, applications: 1);
        await using var a = await HubClient.ConnectAsync(cluster[0]);
        var stream = await OpenAsync(cluster, header.Length == 0 ? RpcHeaders.Empty : Greeting.With(header, value));

        var error = await Assert.ThrowsAsync<RpcException>(() => stream.ReadAsync(Canceled).AsTask());

        Assert.Equal(RpcStatus.InvalidPayload, error.Status);
        Assert.Contains("does not name another node", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FF")]                      // no array
    [InlineData("95")]                      // an array without its values
    [InlineData("9501000090C0")]            // a list of names that is a number
    [InlineData("940207A161C0")]            // no group
    public async Task Entry_that_cannot_be_read_ends_the_stream_with_the_name_of_its_node(string bytes)
    {
        await using var cluster = await HubCluster.StartAsync(2, applications: 1);
        await using var a = await HubClient.ConnectAsync(cluster[0]);
        var stream = await OpenAsync(cluster, Greeting);

        await stream.WriteAsync(Convert.FromHexString(bytes), Canceled);

        var error = await Assert.ThrowsAsync<RpcException>(() => stream.ReadAsync(Canceled).AsTask());
        Assert.Equal(RpcStatus.InvalidPayload, error.Status);
        Assert.Contains("Node 1 has sent an entry", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Kinds_and_values_of_a_later_version_are_skipped()
    {
        await using var cluster = await HubCluster.StartAsync(2, applications: 1);
        await using var a = await HubClient.ConnectAsync(cluster[0]);
        var stream = await OpenAsync(cluster, Greeting);

        await stream.WriteAsync(Entries(a.Id), Canceled);

        using var reply = await stream.ReadAsync(Canceled);
        Assert.Equal([0x92, 1, 7], reply!.Value.Span.ToArray());            // done, and the number of the request
        await cluster.Chat(0).Clients.Group("cakes").SendCoreAsync("receive", ["hello"], Canceled);
        await a.WaitForAsync("hello");
    }

    static ValueTask<RpcStream> OpenAsync(HubCluster cluster, RpcHeaders headers) => cluster.Nodes[1].Node.ChannelTo(cluster.Nodes[0].Node.Address)
        .OpenStreamAsync($"signalr:{typeof(ChatHub)}", "entries", new RpcCallOptions { Headers = headers }, Canceled);

    /// <summary>Returns an entry of an unknown kind, and the addition to a group with another value.</summary>
    static byte[] Entries(string connection)
    {
        var buffer = new ArrayBufferWriter<byte>();
        var writer = new MessagePackWriter(buffer);
        writer.WriteArrayHeader(3);
        writer.Write(99);
        writer.Write("unknown");
        writer.WriteNil();
        writer.WriteArrayHeader(5);
        writer.Write(2);
        writer.Write(7L);
        writer.Write(connection);
        writer.Write("cakes");
        writer.Write("later");
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }
}
