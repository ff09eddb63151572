using System.Net;
using System.Net.Sockets;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

/// <summary>Links that accept connections and never answer, on real sockets and with a manual clock.</summary>
public sealed class SilentLinkTests : IDisposable
{
    static readonly byte[] Hello = "hello"u8.ToArray();
    static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(3);

    readonly ManualTimeProvider _time = new(DateTimeOffset.UtcNow);
    readonly TestAuthority _authority = new();
    readonly TcpListener _silent = new(IPAddress.Loopback, 0);      // The operating system accepts connections, but nobody ever reads.
    readonly TestTransport _network = new(TcpTransport.Default);

    public SilentLinkTests() => _silent.Start();

    public void Dispose()
    {
        _silent.Dispose();
        _authority.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connect_to_a_silent_link_ends_with_its_time_limit_and_backs_off(bool isEncrypted)
    {
        await using var channel = NewChannel(isEncrypted);
        for (var attempt = 1; attempt <= 4; attempt++)
        {
            var call = channel.CallAsync("echo", "echo", Hello).AsTask();
            await Expect.Until(() => _network.Attempts == attempt);
            var due = _time.GetUtcNow() + HandshakeTime;
            await AdvanceUntilAsync(() => call.IsCompleted);
            Assert.True(_time.GetUtcNow() >= due - TimeSpan.FromMilliseconds(1));
            var failure = await call.Fails(RpcStatus.Connection);
            Assert.Contains("(HandshakeTime)", failure.Message, StringComparison.Ordinal);

            // While the channel backs off, a call fails at once and without another attempt.
            failure = await channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Connection);
            Assert.Contains("next attempt is in", failure.Message, StringComparison.Ordinal);
            Assert.Equal(attempt, _network.Attempts);
            _time.Advance(TimeSpan.FromSeconds(5));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Call_to_a_silent_link_ends_with_its_own_time_limit(bool isEncrypted)
    {
        await using var channel = NewChannel(isEncrypted);
        var options = new RpcCallOptions { Timeout = TimeSpan.FromSeconds(1), WaitForConnection = true };
        var call = channel.CallAsync("echo", "echo", Hello, options).AsTask();
        var open = channel.OpenStreamAsync("echo", "echo", options).AsTask();
        await Expect.Until(() => _network.Attempts == 1);
        await AdvanceUntilAsync(() => call.IsCompleted && open.IsCompleted);
        await call.Fails(RpcStatus.Timeout);
        await open.Fails(RpcStatus.Timeout);
        await channel.DisposeAsync().Soon();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Channel_to_a_silent_link_can_be_disposed(bool isEncrypted)
    {
        var channel = NewChannel(isEncrypted);
        var call = channel.CallAsync("echo", "echo", Hello).AsTask();
        await Expect.Until(() => _network.Attempts == 1);
        await channel.DisposeAsync().Soon();
        await call.Fails(RpcStatus.Canceled);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Silent_client_is_cut_off_and_delays_neither_others_nor_the_shutdown_of_the_server(bool isEncrypted)
    {
        await using var pair = await Pair.StartAsync(
            server: options => options with
            {
                TimeProvider = _time,
                Limits = new RpcLimits { HandshakeTime = HandshakeTime, Connections = 2 },
                Tls = isEncrypted ? new RpcTls { Certificate = _authority.Issue("node") } : null,
            },
            channel: options => isEncrypted ? options with { Tls = new RpcTls { TrustedIssuers = _authority.Roots } } : options,
            services: TestService.Echo);
        await using var silent = await RawClient.ConnectAsync(pair.Server);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        var cut = silent.IsCutAsync();
        await AdvanceUntilAsync(() => cut.IsCompleted);
        await using var second = await RawClient.ConnectAsync(pair.Server);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        await pair.Channel.DisposeAsync().Soon();
        await pair.Server.DisposeAsync().Soon();
    }

    RpcChannel NewChannel(bool isEncrypted) => new(_silent.LocalEndpoint.ToString()!, new RpcChannelOptions
    {
        Transport = _network,
        TimeProvider = _time,
        Limits = new RpcLimits { HandshakeTime = HandshakeTime },
        CallTimeout = Timeout.InfiniteTimeSpan,
        InitialBackoff = TimeSpan.FromSeconds(1),
        Tls = isEncrypted ? new RpcTls { TrustedIssuers = _authority.Roots } : null,
    });

    Task AdvanceUntilAsync(Func<bool> condition) => Expect.Until(() =>
    {
        if (condition())
            return true;
        _time.Advance(TimeSpan.FromMilliseconds(100));
        return condition();
    });
}
