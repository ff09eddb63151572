using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

/// <summary>Lasting and repeated conditions, which take only a few log messages, with counts.</summary>
public sealed class LogTests : IDisposable
{
    static readonly byte[] Hello = "hello"u8.ToArray();
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    static readonly RpcLimits Calm = new() { KeepAlive = TimeSpan.FromDays(30), IdleTime = Timeout.InfiniteTimeSpan };

    readonly ManualTimeProvider _time = new();
    readonly CollectingLog _log = new();

    public void Dispose()
    {
        Assert.All(_log.Messages, message => Assert.EndsWith(".", message, StringComparison.Ordinal));
        Assert.DoesNotContain(_log.Messages, message => message.EndsWith("..", StringComparison.Ordinal));
        _log.Dispose();
    }

    [Fact]
    public async Task Outage_of_a_server_is_logged_when_it_begins_and_ends_and_rarely_in_between()
    {
        using var addresses = new ReservedAddresses();
        var address = addresses.Next();
        await using var channel = new RpcChannel(
            address, new RpcChannelOptions { TimeProvider = _time, Logger = _log, Limits = Calm, CallTimeout = Timeout.InfiniteTimeSpan });
        for (var attempt = 0; attempt < 600; attempt++)
        {
            await channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Connection);
            _time.Advance(TimeSpan.FromSeconds(6));
        }

        Assert.Equal(1, _log.Count("could not connect"));
        Assert.InRange(_log.Count("still has no lasting connection"), 4, 6);
        Assert.True(_log.Contains("after 9 more failures in 00:01:00"));
        await using var server = await RpcServer.StartAsync(address, new RpcServerOptions { Limits = Calm });
        server.AddService(TestService.Echo);
        (await channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        Assert.Equal(1, _log.Count("is connected again after 600 failures in 01:00:00"));
        _time.Advance(60 * Minute);
        Assert.False(_log.Contains("no more failures"));
    }

    [Fact]
    public async Task New_reason_for_an_outage_is_logged_at_once()
    {
        await using var pair = await Pair.StartAsync(
            channel: options => options with { TimeProvider = _time, Logger = _log, ClusterSecret = "correct horse battery staple" });
        await pair.Server.DisposeAsync().Soon();
        await pair.Channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Connection);
        _time.Advance(Minute / 2);
        await using var other = await RpcServer.StartAsync(pair.Server.Address);
        await pair.Channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Unauthenticated);
        Assert.Equal(2, _log.Count("could not connect"));
    }

    [Fact]
    public async Task Repeatedly_lost_connection_is_logged_rarely()
    {
        await using var pair = await Pair.StartAsync(
            channel: options => options with { TimeProvider = _time, Logger = _log, Limits = Calm },
            services: [new WaitingService(), TestService.Echo]);
        for (var round = 0; round < 100; round++)
        {
            await ConnectAsync(pair.Channel);
            var call = pair.Channel.CallAsync("test", "wait", default).AsTask();
            await pair.Transport.CutAsync();
            await call.Fails(RpcStatus.Connection);
        }

        Assert.InRange(_log.Messages.Count, 2, 12);
        await ConnectAsync(pair.Channel);
        _time.Advance(180 * Minute);
        Assert.True(_log.Contains("has had no more failures"));
    }

    [Fact]
    public async Task Strangers_are_logged_with_a_count()
    {
        const int Strangers = 500;
        await using var pair = await Pair.StartAsync(
            server: options => options with { TimeProvider = _time, Logger = _log }, services: TestService.Echo);
        for (var stranger = 0; stranger < Strangers; stranger++)
        {
            await using var client = await RawClient.ConnectAsync(pair.Server);
            await client.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
            await client.IsCutAsync();
        }

        Assert.Equal(1, _log.Count("was refused: the client does not speak"));
        _time.Advance(Minute);
        Assert.Equal(1, _log.Count($"a peer was refused {Strangers - 1} more times in 00:01:00"));
        _time.Advance(2 * Minute);
        Assert.Equal(1, _log.Count($"a peer was refused {Strangers} times in 00:03:00, and not since"));
        Assert.Equal(4, _log.Messages.Count);   // Includes the message with the server's address.
    }

    [Fact]
    public async Task Strangers_from_many_hosts_are_logged_with_a_count()
    {
        await using var pair = await Pair.StartAsync(
            "memory", server: options => options with { TimeProvider = _time, Logger = _log }, services: TestService.Echo);
        for (var stranger = 0; stranger < 100; stranger++)
        {
            await using var client = await RawClient.ConnectAsync(pair.Server, pair.Transport);
            await client.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
            await client.IsCutAsync();
        }

        Assert.Equal(8, _log.Count("was refused: "));
        await pair.Server.DisposeAsync().Soon();
        Assert.Equal(1, _log.Count("a peer was refused 92 more times"));
    }

    [Fact]
    public async Task Connections_beyond_the_limit_are_logged_with_a_count()
    {
        await using var pair = await Pair.StartAsync(
            "tcp",
            options => options with { Limits = options.Limits with { Connections = 1 }, TimeProvider = _time, Logger = _log },
            services: TestService.Echo);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        for (var late = 0; late < 100; late++)
        {
            await using var client = await RawClient.ConnectAsync(pair.Server);
            await client.IsCutAsync();
        }

        Assert.Equal(1, _log.Count("was refused: the server has reached its limit of 1 connections (Connections)."));
        _time.Advance(Minute);
        Assert.Equal(1, _log.Count("a peer was refused 99 more times"));
    }

    [Fact]
    public async Task Repeatedly_failing_handler_is_logged_with_a_count()
    {
        await using var pair = await Pair.StartAsync(
            server: options => options with { TimeProvider = _time, Logger = _log, Limits = Calm },
            services: new TestService("failing", handlers =>
            {
                handlers.HandleBytes("one", (_, _) => throw new InvalidOperationException("broken"));
                handlers.HandleBytes("other", (_, _) => throw new InvalidOperationException("also broken"));
            }));
        for (var call = 0; call < 100; call++)
        {
            await pair.Channel.CallAsync("failing", "one", Hello).Fails(RpcStatus.Internal);
            await pair.Channel.CallAsync("failing", "other", Hello).Fails(RpcStatus.Internal);
        }

        Assert.Equal(2, _log.Count("RPC handler failed for a call"));
        _time.Advance(Minute);
        Assert.Equal(1, _log.Count("a handler failed 198 more times in 00:01:00; the last event was: failing/other with System.Invalid"));
    }

    [Fact]
    public async Task Server_that_cannot_accept_logs_when_that_begins_and_ends()
    {
        var network = new ExhaustedTransport(new InMemoryTransport(), failures: 50);
        await using var server = await RpcServer.StartAsync(
            "server:1", new RpcServerOptions { Transport = network, TimeProvider = _time, Logger = _log });
        server.AddService(TestService.Echo);
        await using var channel = new RpcChannel("server:1", new RpcChannelOptions { Transport = network });
        var call = channel.CallAsync("echo", "echo", Hello, new RpcCallOptions { Timeout = Timeout.InfiniteTimeSpan }).AsTask();
        await Expect.Until(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            return network.FailuresLeft == 0;
        });
        await Expect.Until(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            return call.IsCompleted;
        });
        (await call.Soon()).Dispose();
        Assert.Equal(1, _log.Count("could not accept a connection: no file handles left."));
        Assert.Equal(1, _log.Count("accepts connections again after 50 failures"));
    }

    [Fact]
    public async Task Stopping_server_does_not_log_a_failure_to_accept()
    {
        var network = new ClosingTransport();
        var server = await RpcServer.StartAsync("server:1", new RpcServerOptions { Transport = network, TimeProvider = _time, Logger = _log });
        await network.Accepting.Task.Soon();
        await server.DisposeAsync();
        Assert.Equal(0, _log.Count("could not accept"));
    }

    async Task ConnectAsync(RpcChannel channel)
    {
        var call = channel.CallAsync("echo", "echo", Hello, new RpcCallOptions { WaitForConnection = true }).AsTask();
        await Expect.Until(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            return call.IsCompleted;
        });
        (await call).Dispose();
    }

    /// <summary>A network whose listener cannot accept connections for a while.</summary>
    sealed class ExhaustedTransport(ITransport inner, int failures) : ITransport
    {
        public int FailuresLeft { get; private set; } = failures;

        public async ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default) =>
            new Listener(this, await inner.ListenAsync(address, cancellationToken));

        public ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default) =>
            inner.ConnectAsync(address, cancellationToken);

        sealed class Listener(ExhaustedTransport owner, ITransportListener inner) : ITransportListener
        {
            public string Address => inner.Address;

            public ValueTask<TransportConnection> AcceptAsync(CancellationToken cancellationToken = default) =>
                owner.FailuresLeft-- > 0 ? throw new IOException("no file handles left") : inner.AcceptAsync(cancellationToken);

            public ValueTask DisposeAsync() => inner.DisposeAsync();
        }
    }

    /// <summary>A network whose listener fails a waiting accept while it is being closed, before the close completes.</summary>
    sealed class ClosingTransport : ITransport, ITransportListener
    {
        readonly TaskCompletionSource<TransportConnection> _closed = new();

        public TaskCompletionSource Accepting { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Address => "server:1";

        public ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default) => new(this);

        public ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public ValueTask<TransportConnection> AcceptAsync(CancellationToken cancellationToken = default)
        {
            Accepting.TrySetResult();
            return new(_closed.Task);
        }

        public ValueTask DisposeAsync()
        {
            // The code that waits continues within this call.
            _closed.SetException(new ObjectDisposedException(nameof(ITransportListener)));
            return default;
        }
    }
}
