using System.Globalization;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Handshake;
using Datacake.Rpc.Sealing;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

/// <summary>
/// Garbage sent to a live server and to a live channel. For a longer run, set DATACAKE_FUZZ to the number of connections per test. The tests do
/// not run in parallel with others because they measure the memory of the process.
/// </summary>
[CollectionDefinition(nameof(FuzzTests), DisableParallelization = true)]
[Collection(nameof(FuzzTests))]
public sealed class FuzzTests
{
    const long MemoryGrowthBound = 64 * 1024 * 1024;

    static readonly byte[] Hello = "hello"u8.ToArray();

    static int Connections { get; } =
        int.Parse(Environment.GetEnvironmentVariable("DATACAKE_FUZZ") ?? "150", NumberStyles.None, CultureInfo.InvariantCulture);

    [Theory]
    [InlineData("random bytes")]
    [InlineData("random bytes after the handshake")]
    [InlineData("random frames")]
    [InlineData("mutated frames")]
    [InlineData("truncated frames")]
    [InlineData("frames in any order")]
    public async Task Server_survives_garbage(string kind)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var network = new InMemoryTransport();
        await using var server = await RpcServer.StartAsync("server:1", new RpcServerOptions { Transport = network });
        server.AddService(TestService.Echo);
        await using var channel = new RpcChannel("server:1", new RpcChannelOptions { Transport = network });
        await using var stream = await channel.OpenStreamAsync("echo", "echo-stream").Soon();
        for (var seed = 0; seed < Connections; seed++)
        {
            var random = new Random(seed);
            await using var client = kind == "random bytes"
                ? await RawClient.ConnectAsync(server, network)
                : await RawClient.GreetAsync(server, network);
            try
            {
                var reading = client.IsCutAsync();
                await client.SendAsync(GarbageFrames.Of(kind, random));
                await client.DisposeAsync();
                await reading.Soon();
            }
            catch (IOException)
            {
                // The server has already closed the connection.
            }
        }

        using (var reply = await channel.CallAsync("echo", "echo", Hello).Soon())
            Assert.Equal(Hello, reply.Memory.ToArray());
        await stream.WriteAsync(Hello).Soon();
        (await stream.ReadAsync().Soon())!.Value.Dispose();
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, MemoryGrowthBound);
    }

    [Theory]
    [InlineData("random bytes after the handshake")]
    [InlineData("random frames")]
    [InlineData("answers in any order")]
    public async Task Channel_survives_garbage(string kind)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var seed = 0; seed < Connections; seed++)
        {
            var network = new InMemoryTransport();
            var random = new Random(seed);
            await using var listener = await network.ListenAsync("rogue:1");
            await using var channel = new RpcChannel(
                "rogue:1",
                new RpcChannelOptions { Transport = network, Limits = new RpcLimits { HandshakeTime = TimeSpan.FromMilliseconds(200) } });
            var call = channel.CallAsync("echo", "echo", Hello).AsTask();
            var open = channel.OpenStreamAsync("echo", "echo-stream").AsTask();
            await using (var connection = await listener.AcceptAsync().Soon())
            {
                try
                {
                    await HandshakeProtocol.AcceptAsync(
                        connection.Stream, new RpcLimits(), ProtocolVersions.Current, ClusterSecrets.None, null, null, TimeProvider.System, default).Soon();
                    await connection.Stream.WriteAsync(GarbageFrames.Of(kind, random)).Soon();
                }
                catch (IOException)
                {
                    // The channel has already closed the connection.
                }
            }

            // Whatever the channel made of the bytes, everything ends with the connection.
            try
            {
                (await call.Soon()).Dispose();
            }
            catch (RpcException)
            {
            }

            try
            {
                await using var stream = await open.Soon();
                while (await stream.ReadAsync().Soon() is { } message)
                    message.Dispose();
            }
            catch (RpcException)
            {
            }
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, MemoryGrowthBound);
    }

    [Fact]
    public async Task Frame_that_announces_too_many_bytes_ends_the_connection_before_it_is_read()
    {
        var logger = new CollectingLog();
        await using var pair = await Pair.StartAsync(server: options => options with { Logger = logger });
        await using var client = await RawClient.GreetAsync(pair.Server);
        var frame = RawClient.Frame(FrameType.Request, 1);
        frame[3] = 0x7F;
        await client.SendAsync(frame);
        await client.IsCutAsync();
        await Expect.Until(() => logger.Contains("announces"));
    }

    [Fact]
    public async Task Chunks_beyond_the_message_size_fail_only_their_call()
    {
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { MessageSize = 100_000 } }, services: TestService.Echo);
        await using var client = await RawClient.GreetAsync(pair.Server);
        var route = Route.Encode("echo", "echo");
        await client.SendAsync(RawClient.Frame(FrameType.Request, 1, 0, route, new byte[60_000], FrameFlags.More));
        await client.SendAsync(RawClient.Frame(FrameType.Chunk, 1, 0, null, new byte[60_000], FrameFlags.More));
        var (refused, _) = await client.ReceiveAsync();
        Assert.Equal((FrameType.Error, 1u, (uint)RpcStatus.LimitExceeded), (refused.Type, refused.Id, refused.Value));
        await client.SendAsync(RawClient.Frame(FrameType.Chunk, 1, 0, null, new byte[60_000]));
        await client.SendAsync(RawClient.Frame(FrameType.Request, 2, 0, route, Hello));
        var (reply, body) = await client.ReceiveAsync();
        Assert.Equal((FrameType.Reply, 2u), (reply.Type, reply.Id));
        Assert.Equal(Hello, body);
    }

    [Fact]
    public async Task Calls_beyond_twice_the_limit_are_refused_and_logged()
    {
        var logger = new CollectingLog();
        var service = new WaitingService();
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { CallsInFlight = 2 }, Logger = logger }, services: service);
        await using var client = await RawClient.GreetAsync(pair.Server);
        for (uint id = 1; id <= 5; id++)
            await client.SendAsync(RawClient.Frame(FrameType.Request, id, 0, Route.Encode("test", "wait")));
        var (refused, _) = await client.ReceiveAsync();
        Assert.Equal((FrameType.Error, 5u, (uint)RpcStatus.LimitExceeded), (refused.Type, refused.Id, refused.Value));
        Assert.True(logger.Contains("CallsInFlight"));
    }

    [Fact]
    public async Task Peer_beyond_its_memory_limit_is_refused_and_then_served_again()
    {
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { MessageSize = 70_000, BufferedBytes = 280_000 } },
            services: TestService.Echo);
        await using var client = await RawClient.GreetAsync(pair.Server);
        var route = Route.Encode("echo", "echo");
        for (uint id = 1; id <= 5; id++)
            await client.SendAsync(RawClient.Frame(FrameType.Request, id, 0, route, new byte[60_000], FrameFlags.More));
        var (refused, _) = await client.ReceiveAsync();
        Assert.Equal((FrameType.Error, 5u, (uint)RpcStatus.LimitExceeded), (refused.Type, refused.Id, refused.Value));
        for (uint id = 1; id <= 4; id++)
            await client.SendAsync(RawClient.Frame(FrameType.Cancel, id));
        await client.SendAsync(RawClient.Frame(FrameType.Request, 6, 0, route, new byte[60_000]));
        var (reply, body) = await client.ReceiveAsync();
        Assert.Equal((FrameType.Reply, 6u, 60_000), (reply.Type, reply.Id, body.Length));
    }
}
