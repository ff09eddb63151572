using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

/// <summary>
/// Task failures that nobody observes, which no ending of a connection may cause. The tests do not run in parallel with others because the event
/// that reports such tasks belongs to the process.
/// </summary>
[CollectionDefinition(nameof(UnobservedTests), DisableParallelization = true)]
[Collection(nameof(UnobservedTests))]
public sealed class UnobservedTests : IDisposable
{
    const int Rounds = 20;

    static readonly byte[] Hello = "hello"u8.ToArray();
    static readonly RpcLimits Hasty = new() { HandshakeTime = TimeSpan.FromMilliseconds(20) };

    readonly ConcurrentQueue<Exception> _unobserved = [];
    readonly TestAuthority _authority = new();

    public UnobservedTests()
    {
        Collect();     // Clears the tasks that other tests have left.
        TaskScheduler.UnobservedTaskException += OnUnobserved;
    }

    public void Dispose()
    {
        TaskScheduler.UnobservedTaskException -= OnUnobserved;
        _authority.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task No_task_failure_is_unobserved_when_a_call_ends_before_its_connect(bool isDisposedMeanwhile) => RunAsync(async () =>
    {
        var network = new GatedTransport();
        var channel = new RpcChannel("nowhere:1", new RpcChannelOptions { Transport = network });
        using var cancellation = new CancellationTokenSource();
        var call = channel.CallAsync("echo", "echo", Hello, default, cancellation.Token).AsTask();
        await network.Attempted.Soon();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Soon());
        if (isDisposedMeanwhile)
            await channel.DisposeAsync().Soon();
        network.Fail();
        await network.Failed.Soon();
        await channel.DisposeAsync().Soon();
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task No_task_failure_is_unobserved_when_nobody_listens_or_answers(bool isEncrypted) => RunAsync(async () =>
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var tls = isEncrypted ? new RpcTls { TrustedIssuers = _authority.Roots } : null;
        await using var channel = new RpcChannel(silent.LocalEndpoint.ToString()!, new RpcChannelOptions { Limits = Hasty, Tls = tls });
        await channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Connection);
        silent.Stop();
        await using var second = new RpcChannel(silent.LocalEndpoint.ToString()!, new RpcChannelOptions { Limits = Hasty, Tls = tls });
        await second.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Connection);
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public Task No_task_failure_is_unobserved_when_connections_are_cut_midway(bool isEncrypted) => RunAsync(async () =>
    {
        var service = new WaitingService();
        await using var pair = await Pair.StartAsync(
            server: options => isEncrypted
                ? options with { Tls = new RpcTls { Certificate = _authority.Issue("node") } }
                : options,
            channel: options => isEncrypted ? options with { Tls = new RpcTls { TrustedIssuers = _authority.Roots } } : options,
            services: [service, TestService.Echo]);
        var call = pair.Channel.CallAsync("test", "wait", default).AsTask();
        var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
        var unread = await pair.Channel.OpenStreamAsync("test", "wait-stream").Soon();
        var write = unread.WriteAsync(new byte[2_000_000]).AsTask();
        var read = stream.ReadAsync().AsTask();
        await service.Started.Soon();
        await pair.Transport.CutAsync();
        await call.Fails(RpcStatus.Connection);
        await read.Fails(RpcStatus.Connection);
        await Task.WhenAny(write).Soon();
        _ = write.Exception;
    });

    [Fact]
    public Task No_task_failure_is_unobserved_when_either_side_is_disposed_with_calls_in_flight() => RunAsync(async () =>
    {
        foreach (var isServerFirst in (bool[])[true, false])
        {
            var service = new WaitingService();
            await using var pair = await Pair.StartAsync(
                server: options => options with { DrainTimeout = TimeSpan.Zero }, services: [service, TestService.Echo]);
            var call = pair.Channel.CallAsync("test", "wait", default).AsTask();
            var stream = await pair.Channel.OpenStreamAsync("test", "wait-stream").Soon();
            await service.Started.Soon();
            await (isServerFirst ? pair.Server.DisposeAsync() : pair.Channel.DisposeAsync()).Soon();
            await Assert.ThrowsAsync<RpcException>(() => call.Soon());
            await stream.DisposeAsync().Soon();
        }
    });

    [Fact]
    public Task No_task_failure_is_unobserved_when_strangers_are_refused() => RunAsync(async () =>
    {
        await using var pair = await Pair.StartAsync(
            server: options => options with { Tls = new RpcTls { Certificate = _authority.Issue("node") } });
        await using (var plain = new RpcChannel(pair.Server.Address))
            await plain.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Unauthenticated);
        await using (var suspicious = new RpcChannel(pair.Server.Address, new RpcChannelOptions { Tls = new RpcTls() }))
            await suspicious.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Unauthenticated);
        await using var garbage = await RawClient.ConnectAsync(pair.Server);
        await garbage.SendAsync(Hello);
        await using var impatient = await Pair.StartAsync(server: options => options with { Limits = Hasty });
        await using var silent = await RawClient.ConnectAsync(impatient.Server);
        await silent.IsCutAsync();
    });

    async Task RunAsync(Func<Task> scenario)
    {
        for (var round = 0; round < Rounds; round++)
            await scenario();
        // Tasks that a scenario has left may still fail.
        for (var round = 0; round < 5; round++)
        {
            await Task.Yield();
            Collect();
        }

        Assert.Empty(_unobserved);
    }

    static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }

    void OnUnobserved(object? sender, UnobservedTaskExceptionEventArgs unobserved)
    {
        _unobserved.Enqueue(unobserved.Exception);
        unobserved.SetObserved();
    }

    /// <summary>A network whose attempts to connect wait until the test lets them fail.</summary>
    sealed class GatedTransport : ITransport
    {
        readonly TaskCompletionSource _attempted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Attempted => _attempted.Task;

        public Task Failed => _failed.Task;

        public void Fail() => _gate.TrySetResult();

        public ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException();

        public async ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default)
        {
            _attempted.TrySetResult();
            try
            {
                await _gate.Task.WaitAsync(cancellationToken);
                throw new RpcException(RpcStatus.Connection, "refused");
            }
            finally
            {
                _failed.TrySetResult();
            }
        }
    }
}
