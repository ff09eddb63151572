using System.Text;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

public sealed class ConnectionTests
{
    const string Secret = "correct horse battery staple";

    static readonly byte[] Hello = "hello"u8.ToArray();
    static readonly RpcCallOptions Patient = new() { WaitForConnection = true };

    public static TheoryData<string> Transports => Pair.Transports;

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Cut_connection_fails_its_calls_and_streams_at_once(string transport)
    {
        var service = new WaitingService();
        await using var pair = await Pair.StartAsync(transport, services: service);
        var call = pair.Channel.CallAsync("test", "wait", default).AsTask();
        await using var stream = await pair.Channel.OpenStreamAsync("test", "wait-stream").Soon();
        var read = stream.ReadAsync().AsTask();
        await service.Started.Soon();
        await pair.Transport.CutAsync();
        await call.Fails(RpcStatus.Connection);
        await read.Fails(RpcStatus.Connection);
        await stream.WriteAsync(Hello).Fails(RpcStatus.Connection);
        await service.Canceled.Soon();
    }

    [Fact]
    public async Task First_call_after_a_lost_connection_reconnects()
    {
        await using var pair = await Pair.StartAsync(services: [TestService.Echo, new WaitingService()]);
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            (await pair.Channel.CallAsync("echo", "echo", Hello, Patient).Soon()).Dispose();
            Assert.Equal(attempt, pair.Transport.Attempts);
            var lost = pair.Channel.CallAsync("test", "wait", default).AsTask();
            await pair.Transport.CutAsync();
            await lost.Fails(RpcStatus.Connection);
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Channel_survives_a_restart_of_its_server(string transport)
    {
        var network = Pair.NewTransport(transport);
        using var addresses = new ReservedAddresses();
        var address = addresses.Next();
        var first = await RpcServer.StartAsync(address, new RpcServerOptions { Transport = network });
        first.AddService(TestService.Echo);
        await using var channel = new RpcChannel(
            address, new RpcChannelOptions { Transport = network, InitialBackoff = TimeSpan.FromMilliseconds(1) });
        (await channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        await first.DisposeAsync().Soon();
        await channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Connection);

        await using var second = await RpcServer.StartAsync(address, new RpcServerOptions { Transport = network });
        second.AddService(TestService.Echo);
        (await channel.CallAsync("echo", "echo", Hello, Patient).Soon()).Dispose();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task After_failed_attempts_calls_fail_at_once_until_the_next_attempt_is_due(string transport)
    {
        var time = new ManualTimeProvider();
        var network = new TestTransport(Pair.NewTransport(transport));
        await using var channel = new RpcChannel(
            "127.0.0.1:1", new RpcChannelOptions { Transport = network, TimeProvider = time, Seed = 1 });
        var pauses = new[] { 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5 };
        for (var attempt = 1; attempt <= pauses.Length; attempt++)
        {
            await channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Connection);
            Assert.Equal(attempt, network.Attempts);
            time.Advance(TimeSpan.FromSeconds((pauses[attempt - 1] / 2) - 0.001));
            var failure = await channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Connection);
            Assert.Contains("127.0.0.1:1", failure.Message, StringComparison.Ordinal);
            Assert.Equal(attempt, network.Attempts);
            time.Advance(TimeSpan.FromSeconds((pauses[attempt - 1] / 2) + 0.002));
        }
    }

    [Fact]
    public async Task A_call_that_waits_for_the_connection_gives_up_at_its_deadline()
    {
        var time = new ManualTimeProvider();
        var network = new TestTransport(new InMemoryTransport());
        await using var channel = new RpcChannel("nowhere:1", new RpcChannelOptions { Transport = network, TimeProvider = time, Seed = 1 });
        var call = channel.CallAsync("echo", "echo", Hello, Patient with { Timeout = TimeSpan.FromSeconds(2) }).AsTask();
        for (var step = 0; step < 100; step++)
        {
            Assert.False(call.IsCompleted);
            time.Advance(TimeSpan.FromMilliseconds(20));
            await Task.Yield();
        }

        await call.Fails(RpcStatus.Timeout);
        Assert.InRange(network.Attempts, 0, 20);
    }

    [Fact]
    public async Task Silent_peer_is_detected_by_both_sides()
    {
        var time = new ManualTimeProvider();
        var service = new WaitingService();
        await using var pair = await Pair.StartAsync(
            server: options => options with { TimeProvider = time },
            channel: options => options with { TimeProvider = time },
            services: service);
        var call = pair.Channel.CallAsync("test", "wait", default).AsTask();
        await service.Started.Soon();
        pair.Transport.Silence();
        for (var tick = 0; tick < 3; tick++)
            time.Advance(new RpcLimits().KeepAlive);
        var failure = await call.Fails(RpcStatus.Connection);
        Assert.Contains("KeepAlive", failure.Message, StringComparison.Ordinal);
        await service.Canceled.Soon();
    }

    [Theory]
    [InlineData("channel")]
    [InlineData("server")]
    public async Task Unplugged_cable_ends_a_connection_within_two_keep_alives_of_either_side(string side)
    {
        var keepAlive = TimeSpan.FromSeconds(4);
        var time = new ManualTimeProvider();
        var service = new WaitingService();
        RpcLimits LimitsOf(string other) => new() { KeepAlive = other == side ? keepAlive : TimeSpan.FromDays(30) };
        await using var pair = await Pair.StartAsync(
            server: options => options with { TimeProvider = time, Limits = LimitsOf("server") },
            channel: options => options with { TimeProvider = time, Limits = LimitsOf("channel") },
            services: service);
        var call = pair.Channel.CallAsync("test", "wait", default).AsTask();
        await service.Started.Soon();
        pair.Transport.Silence();
        var lost = side == "channel" ? call : service.Canceled;
        time.Advance(1.75 * keepAlive);
        Assert.False(lost.IsCompleted);
        time.Advance(0.25 * keepAlive);
        if (side == "channel")
            await call.Fails(RpcStatus.Connection);
        else
            await service.Canceled.Soon();
    }

    [Fact]
    public async Task An_idle_connection_is_kept_as_long_as_pings_are_answered()
    {
        var time = new ManualTimeProvider();
        await using var pair = await Pair.StartAsync(
            channel: options => options with { TimeProvider = time }, services: TestService.Echo);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        await Expect.Until(() => pair.Transport.BytesHandled == pair.Transport.BytesRead);
        for (var ping = 0; ping < 10; ping++)
        {
            var answered = pair.Transport.BytesRead + FrameHeader.Size;
            time.Advance(1.25 * new RpcLimits().KeepAlive);
            await Expect.Until(() => pair.Transport.BytesHandled == answered);
        }

        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        Assert.Equal(1, pair.Transport.Attempts);
    }

    [Fact]
    public async Task A_peer_that_does_not_read_is_cut_off()
    {
        var time = new ManualTimeProvider();
        await using var pair = await Pair.StartAsync(
            "memory", channel: options => options with { TimeProvider = time }, services: TestService.Echo);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        using var permits = new SemaphoreSlim(0);
        pair.Transport.WritePermits = permits;
        var call = pair.Channel.CallAsync("echo", "echo", Hello).AsTask();
        await Expect.Until(() => pair.Transport.WritesWaiting > 0);
        for (var tick = 0; tick < 3; tick++)
            time.Advance(new RpcLimits().KeepAlive);
        await call.Fails(RpcStatus.Connection);
        permits.Release(100);
    }

    [Fact]
    public async Task A_handshake_that_takes_too_long_is_cut_off()
    {
        var time = new ManualTimeProvider();
        var logger = new CollectingLog();
        await using var pair = await Pair.StartAsync(server: options => options with { TimeProvider = time, Logger = logger });
        await using var client = await RawClient.ConnectAsync(pair.Server);
        await client.SendAsync("DCR"u8.ToArray());
        var cut = client.IsCutAsync();
        await Expect.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return cut.IsCompleted;
        });
        await cut.Soon();
        Assert.True(logger.Contains("HandshakeTime"));
    }

    [Fact]
    public async Task Client_beyond_the_connection_limit_is_refused_with_a_reason()
    {
        var logger = new CollectingLog();
        await using var pair = await Pair.StartAsync(
            "memory", options => options with { Limits = options.Limits with { Connections = 1 }, Logger = logger }, services: TestService.Echo);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        await using (var second = new RpcChannel(pair.Server.Address, new RpcChannelOptions { Transport = pair.Transport }))
        {
            var failure = await second.CallAsync("echo", "echo", Hello).Fails(RpcStatus.LimitExceeded);
            Assert.Contains("Connections", failure.Message, StringComparison.Ordinal);
            Assert.True(logger.Contains("Connections"));
        }

        await pair.Channel.DisposeAsync().Soon();
        await using var third = new RpcChannel(
            pair.Server.Address,
            new RpcChannelOptions
            {
                Transport = pair.Transport,
                InitialBackoff = TimeSpan.FromMilliseconds(1),
                MaxBackoff = TimeSpan.FromMilliseconds(1),
            });
        (await third.CallAsync("echo", "echo", Hello, Patient).Soon()).Dispose();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Nodes_that_share_the_secret_connect_without_sending_it(string transport)
    {
        await using var pair = await Pair.StartAsync(
            transport,
            options => options with { ClusterSecret = Secret },
            options => options with { ClusterSecret = Secret },
            TestService.Echo);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        Assert.Equal(-1, pair.Transport.Written.ToArray().AsSpan().IndexOf(Encoding.UTF8.GetBytes(Secret)));
    }

    [Theory]
    [InlineData(Secret, "another secret altogether", "differs from the server's")]
    [InlineData(Secret, null, "this server requires a cluster secret")]
    [InlineData(null, Secret, "this server has none")]
    public async Task Nodes_that_do_not_share_the_secret_refuse_each_other(string? server, string? channel, string reason)
    {
        var logger = new CollectingLog();
        await using var pair = await Pair.StartAsync(
            "memory",
            options => options with { ClusterSecret = server, Logger = logger },
            options => options with { ClusterSecret = channel },
            TestService.Echo);
        var failure = await pair.Channel.CallAsync("echo", "echo", Hello, Patient).Fails(RpcStatus.Unauthenticated);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        await Expect.Until(() => logger.Contains("was refused") && logger.Contains(reason));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "does not speak")]
    [InlineData("\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u0002\u0003", "uses TLS")]
    [InlineData("DCRP\u0007\0\0\0\0\0\0\0\0", "version 7")]
    public async Task Stranger_is_refused_with_a_reason(string greeting, string reason)
    {
        var logger = new CollectingLog();
        await using var pair = await Pair.StartAsync(server: options => options with { Logger = logger });
        await using var client = await RawClient.ConnectAsync(pair.Server);
        await client.SendAsync(Encoding.Latin1.GetBytes(greeting));
        await client.IsCutAsync();
        Assert.True(logger.Contains(reason));
    }

    [Fact]
    public async Task Server_that_does_not_speak_the_protocol_is_reported_by_address()
    {
        var network = new InMemoryTransport();
        await using var listener = await network.ListenAsync("web:80");
        await using var channel = new RpcChannel("web:80", new RpcChannelOptions { Transport = network });
        var call = channel.CallAsync("echo", "echo", Hello).AsTask();
        await using var connection = await listener.AcceptAsync().Soon();
        await connection.Stream.WriteAsync("HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray()).Soon();
        var failure = await call.Fails(RpcStatus.InvalidPayload);
        Assert.Contains("web:80", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Stopping_server_lets_calls_finish_and_asks_streams_to_end(string transport)
    {
        var started = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        var streams = new WaitingService();
        await using var pair = await Pair.StartAsync(
            transport, server: options => options with { DrainTimeout = TimeSpan.FromSeconds(30) }, services:
            [
                streams,
                new TestService("slow", handlers => handlers.HandleBytes("slow", async (request, _) =>
                {
                    started.SetResult();
                    await finish.Task;
                    return request.Payload;
                })),
            ]);
        var call = pair.Channel.CallAsync("slow", "slow", Hello).AsTask();
        await using var stream = await pair.Channel.OpenStreamAsync("test", "wait-stream").Soon();
        await started.Task.Soon();
        var stopping = pair.Server.DisposeAsync().AsTask();
        await streams.Canceled.Soon();
        await stream.ReadAsync().Fails(RpcStatus.ShuttingDown);
        Assert.False(call.IsCompleted);
        finish.SetResult();
        using (var reply = await call.Soon())
            Assert.Equal(Hello, reply.Memory.ToArray());
        await stopping.Soon();
    }

    [Fact]
    public async Task Handler_that_ignores_the_shutdown_does_not_delay_its_server()
    {
        var started = new TaskCompletionSource();
        var never = new TaskCompletionSource<ReadOnlyMemory<byte>>();
        await using var pair = await Pair.StartAsync(
            server: options => options with { DrainTimeout = TimeSpan.FromMilliseconds(1) },
            services: new TestService("deaf", handlers => handlers.HandleBytes("deaf", async (_, _) =>
            {
                started.SetResult();
                return await never.Task;
            })));
        var call = pair.Channel.CallAsync("deaf", "deaf", Hello).AsTask();
        await started.Task.Soon();
        await pair.Server.DisposeAsync().Soon();
        await call.Fails(RpcStatus.Connection);
        never.SetResult(default);
    }

    [Fact]
    public async Task Disposed_channel_fails_calls_in_flight_and_refuses_new_ones()
    {
        var service = new WaitingService();
        await using var pair = await Pair.StartAsync(services: service);
        var call = pair.Channel.CallAsync("test", "wait", default).AsTask();
        await service.Started.Soon();
        await pair.Channel.DisposeAsync().Soon();
        await call.Fails(RpcStatus.Canceled);
        await service.Canceled.Soon();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => pair.Channel.CallAsync("test", "wait", default).Soon());
    }

    [Theory]
    [InlineData("")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:port")]
    [InlineData("127.0.0.1:70000")]
    [InlineData("::1:7001")]
    public async Task Invalid_address_is_refused(string address)
    {
        var failure = await Record.ExceptionAsync(async () => await RpcServer.StartAsync(address));
        Assert.True(failure is ArgumentException or RpcException { Status: RpcStatus.Connection }, failure?.ToString());
    }

    [Theory]
    [InlineData("127.0.0.1:0")]
    [InlineData("localhost:0")]
    [InlineData("[::1]:0")]
    public async Task A_server_listens_at_any_kind_of_address(string address)
    {
        await using var server = await RpcServer.StartAsync(address);
        server.AddService(TestService.Echo);
        await using var channel = new RpcChannel(server.Address);
        (await channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        var failure = await Assert.ThrowsAsync<RpcException>(async () => await RpcServer.StartAsync(server.Address));
        Assert.Contains(server.Address, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new RpcChannel("a:1", new RpcChannelOptions { Limits = new RpcLimits { CallsInFlight = 0 } }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RpcChannel("a:1", new RpcChannelOptions { MaxBackoff = TimeSpan.Zero }));
        Assert.Throws<ArgumentException>(() => new RpcChannel("a:1", new RpcChannelOptions { ClusterSecret = "short" }));
    }
}
