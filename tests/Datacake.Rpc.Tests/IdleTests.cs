using Datacake.Rpc.Framing;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

public sealed class IdleTests : IDisposable
{
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    static readonly RpcLimits Idle = new() { IdleTime = Minute, KeepAlive = TimeSpan.FromDays(1) };
    static readonly RpcLimits Patient = new() { IdleTime = Timeout.InfiniteTimeSpan, KeepAlive = TimeSpan.FromDays(1) };

    readonly ManualTimeProvider _time = new();
    readonly FollowedService _service = new();
    readonly CollectingLog _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task Channel_closes_its_idle_connection_and_reconnects_with_the_next_call()
    {
        await using var pair = await StartAsync(server: Patient, channel: Idle);
        await EveryCallConnectsAsync(pair);
    }

    [Fact]
    public async Task Server_asks_idle_clients_to_close_and_they_reconnect_with_the_next_call()
    {
        await using var pair = await StartAsync(server: Idle, channel: Patient);
        await EveryCallConnectsAsync(pair);
        Assert.False(_log.Contains("was cut"));
    }

    [Fact]
    public async Task Both_sides_can_find_a_connection_idle_at_the_same_time()
    {
        await using var pair = await StartAsync(server: Idle, channel: Idle);
        await EveryCallConnectsAsync(pair);
    }

    [Fact]
    public async Task A_connection_with_a_call_or_a_stream_in_flight_is_not_idle()
    {
        var service = new WaitingService();
        await using var pair = await StartAsync(Idle, Idle, service);
        var call = pair.Channel.CallAsync("test", "wait", default).AsTask();
        await service.Started.Soon();
        _time.Advance(10 * Minute);
        await using var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
        await pair.Channel.CallAsync("test", "missing", default).Fails(RpcStatus.UnknownMessage);
        Assert.False(call.IsCompleted);
        Assert.Equal(1, pair.Transport.Attempts);
    }

    [Fact]
    public async Task Occasionally_used_connection_is_kept()
    {
        await using var pair = await StartAsync(Idle, Idle);
        for (var call = 0; call < 10; call++)
        {
            await _service.CallAsync(pair.Channel);
            _time.Advance(0.9 * Minute);
        }

        Assert.Equal(1, pair.Transport.Attempts);
    }

    [Fact]
    public async Task Client_that_ignores_the_request_to_close_is_served_until_it_is_cut_off()
    {
        await using var pair = await StartAsync(Idle, Patient);
        await using var client = await RawClient.GreetAsync(pair.Server);
        await CallAsync(1);
        _time.Advance(1.5 * Minute);
        Assert.Equal(FrameType.Shutdown, (await client.ReceiveAsync()).Header.Type);
        await CallAsync(2);
        _time.Advance(1.5 * Minute);
        await client.IsCutAsync();
        await Expect.Until(() => _log.Contains("(IdleTime)"));

        async Task CallAsync(uint id)
        {
            await client.SendAsync(RawClient.Frame(FrameType.Request, id, 0, Route.Encode(_service.Name, "call")));
            var (reply, _) = await client.ReceiveAsync();
            Assert.Equal((FrameType.Reply, id), (reply.Type, reply.Id));
            await _service.IsOverAsync();
        }
    }

    [Fact]
    public async Task A_client_that_never_calls_is_cut_off()
    {
        await using var pair = await StartAsync(Idle, Patient);
        await using var client = await RawClient.GreetAsync(pair.Server);
        var cut = client.IsCutAsync();
        await Expect.Until(() =>
        {
            _time.Advance(Minute);
            return cut.IsCompleted;
        });
        await Expect.Until(() => _log.Contains("(IdleTime)"));
    }

    /// <summary>Asserts that each call after an idle period reconnects at once: closing an idle connection is not a failure and causes no backoff.</summary>
    async Task EveryCallConnectsAsync(Pair pair)
    {
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            await _service.CallAsync(pair.Channel);
            Assert.Equal(attempt, pair.Transport.Attempts);
            _time.Advance(1.5 * Minute);
            var ended = attempt;
            await Expect.Until(() => _log.Count("has closed its connection") == ended && _log.Count("has ended") == ended);
        }
    }

    async Task<Pair> StartAsync(RpcLimits server, RpcLimits channel, params RpcService[] services) => await Pair.StartAsync(
        "tcp",
        options => options with { Limits = server, TimeProvider = _time, Logger = _log },
        options => options with { Limits = channel, TimeProvider = _time, Logger = _log },
        [TestService.Echo, _service, .. services]);
}
