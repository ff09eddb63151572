using System.Text;
using CsCheck;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

public sealed class HeaderTests
{
    static readonly RpcHeaders Tenant = new([new("tenant", "blåbær"), new("empty", "")]);

    public static TheoryData<string> Transports => Pair.Transports;

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Headers_of_a_call_reach_its_handler(string transport)
    {
        var seen = new TaskCompletionSource<RpcHeaders>();
        await using var pair = await Pair.StartAsync(transport, services: new TestService("test", handlers =>
            handlers.HandleBytes("call", (request, _) =>
            {
                seen.SetResult(request.Headers);
                return ValueTask.FromResult(request.Payload);
            })));
        using var reply = await pair.Channel.CallAsync("test", "call", new byte[] { 7 }, new RpcCallOptions { Headers = Tenant }).Soon();
        Assert.Equal([7], reply.Memory.ToArray());
        Assert.Equal(Tenant.Items, (await seen.Task.Soon()).Items);
    }

    [Fact]
    public async Task Headers_are_sent_with_large_messages_and_with_streams()
    {
        var large = new byte[300_000];
        await using var pair = await Pair.StartAsync(services: new TestService("test", handlers =>
        {
            handlers.HandleBytes("tenant", (request, _) => ValueTask.FromResult<ReadOnlyMemory<byte>>(
                Encoding.UTF8.GetBytes($"{request.Headers["tenant"]} {request.Payload.Length}")));
            handlers.HandleStream("stream", async (stream, cancellationToken) => await stream.WriteAsync(
                Encoding.UTF8.GetBytes(stream.Headers["tenant"]!), cancellationToken));
        }));
        var options = new RpcCallOptions { Headers = Tenant };
        using (var reply = await pair.Channel.CallAsync("test", "tenant", large, options).Soon())
            Assert.Equal("blåbær 300000", Encoding.UTF8.GetString(reply.Span));
        await using var stream = await pair.Channel.OpenStreamAsync("test", "stream", options).Soon();
        Assert.Same(Tenant, stream.Headers);
        using var message = (await stream.ReadAsync().Soon())!.Value;
        Assert.Equal("blåbær", Encoding.UTF8.GetString(message.Span));
    }

    [Fact]
    public async Task A_call_without_headers_has_none()
    {
        var count = -1;
        await using var pair = await Pair.StartAsync(services: new TestService("test", handlers =>
            handlers.HandleBytes("call", (request, _) =>
            {
                count = request.Headers.Items.Count;
                return default;
            })));
        (await pair.Channel.CallAsync("test", "call", default).Soon()).Dispose();
        Assert.Equal(0, count);
    }

    [Fact]
    public async Task Headers_too_large_for_the_server_fail_only_their_call()
    {
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { HeaderSize = 100 } }, services: TestService.Echo);
        var options = new RpcCallOptions { Headers = RpcHeaders.Empty.With("key", new string('x', 200)) };
        var failure = await pair.Channel.CallAsync("echo", "echo", default, options).Fails(RpcStatus.LimitExceeded);
        Assert.Contains("HeaderSize", failure.Message, StringComparison.Ordinal);
        await pair.Channel.OpenStreamAsync("echo", "echo-stream", options).Fails(RpcStatus.LimitExceeded);
        (await pair.Channel.CallAsync("echo", "echo", default).Soon()).Dispose();
        Assert.Equal(1, pair.Transport.Attempts);
    }

    [Fact]
    public async Task Malformed_headers_end_their_connection()
    {
        var logger = new CollectingLog();
        await using var pair = await Pair.StartAsync(server: options => options with { Logger = logger }, services: TestService.Echo);
        await using var client = await RawClient.GreetAsync(pair.Server);
        byte[] meta = [.. Route.Encode("echo", "echo"), 3, 1, 2];
        await client.SendAsync(RawClient.Frame(FrameType.Request, 1, 0, meta));
        await client.IsCutAsync();
        await Expect.Until(() => logger.Contains("malformed headers"));
    }

    [Fact]
    public async Task Headers_cannot_be_read_after_the_handler_has_finished()
    {
        RpcRequest kept = default;
        await using var pair = await Pair.StartAsync(services: new TestService("test", handlers =>
            handlers.HandleBytes("call", (request, _) =>
            {
                kept = request;
                return default;
            })));
        (await pair.Channel.CallAsync("test", "call", default, new RpcCallOptions { Headers = Tenant }).Soon()).Dispose();
        await pair.Server.DisposeAsync().Soon();
        Assert.Throws<ObjectDisposedException>(() => kept.Headers);
    }

    [Fact]
    public void Duplicate_and_empty_keys_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new RpcHeaders([new("a", "1"), new("a", "2")]));
        Assert.Throws<ArgumentException>(() => RpcHeaders.Empty.With("", "1"));
        Assert.Throws<ArgumentException>(() => RpcHeaders.Empty.With(new string('k', 256), "1"));
        Assert.Throws<ArgumentException>(() => RpcHeaders.Empty.With("a", new string('v', 65_536)));
        Assert.Equal("2", Assert.Single(RpcHeaders.Empty.With("a", "1").With("a", "2").Items).Value);
        Assert.Null(Tenant["TENANT"]);
    }

    [Fact]
    public void Encoded_headers_round_trip() => Gen.Dictionary(Gen.String[1, 20], Gen.String[0, 40])[0, 8].Sample(items =>
    {
        var headers = new RpcHeaders(items.Where(item => IsText(item.Key) && IsText(item.Value)));
        return RpcHeaders.IsReadable(headers.Encoded) && RpcHeaders.Decode(headers.Encoded).Items.SequenceEqual(headers.Items);
    });

    [Fact]
    public void Random_bytes_never_throw_when_read_as_headers() => Gen.Byte.Array[0, 60].Sample(bytes =>
    {
        var items = RpcHeaders.Decode(bytes).Items;
        return !RpcHeaders.IsReadable(bytes) || bytes.Length == 0 || items.Count > 0;
    });

    // A lone surrogate is not valid text and does not survive UTF-8.
    static bool IsText(string value) => !value.Any(char.IsSurrogate);
}
