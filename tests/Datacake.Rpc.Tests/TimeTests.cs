using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

/// <summary>All configurable times with a wide range of values.</summary>
public sealed class TimeTests
{
    static readonly byte[] Hello = "hello"u8.ToArray();
    static readonly TimeSpan Week = TimeSpan.FromDays(7);

    static readonly Dictionary<string, TimeSpan> Values = new()
    {
        ["zero"] = TimeSpan.Zero,
        ["negative"] = TimeSpan.FromSeconds(-1),
        ["minimum"] = TimeSpan.MinValue,
        ["one tick"] = TimeSpan.FromTicks(1),
        ["one millisecond"] = TimeSpan.FromMilliseconds(1),
        ["30 days"] = TimeSpan.FromDays(30),
        ["60 days"] = TimeSpan.FromDays(60),
        ["maximum"] = TimeSpan.MaxValue,
        ["infinite"] = Timeout.InfiniteTimeSpan,
    };

    static readonly Dictionary<string, (Func<TimeSpan, RpcServerOptions> Server, Func<TimeSpan, RpcChannelOptions> Channel, string[] Accepted)>
        Settings = new()
        {
            ["KeepAlive"] = OfLimits(time => new RpcLimits { KeepAlive = time }, "30 days"),
            ["IdleTime"] = OfLimits(time => new RpcLimits { IdleTime = time }, "30 days", "infinite"),
            ["HandshakeTime"] = OfLimits(time => new RpcLimits { HandshakeTime = time }, "30 days"),
            ["DrainTimeout"] = (time => new RpcServerOptions { DrainTimeout = time }, _ => new(), ["zero", "one tick", "one millisecond", "30 days"]),
            ["CallTimeout"] = (_ => new(), time => new RpcChannelOptions { CallTimeout = time }, ["30 days", "60 days", "maximum", "infinite"]),
            ["InitialBackoff"] = (
            _ => new(),
            time => new RpcChannelOptions { InitialBackoff = time, MaxBackoff = TimeSpan.FromDays(30) },
            ["one millisecond", "30 days"]),
            ["MaxBackoff"] = (
            _ => new(),
            time => new RpcChannelOptions { MaxBackoff = time, InitialBackoff = TimeSpan.FromMilliseconds(1) },
            ["one millisecond", "30 days"]),
        };

    public static TheoryData<string, string> Table => [.. from setting in Settings.Keys from value in Values.Keys select (setting, value)];

    /// <summary>Returns true if a time is accepted but too short to complete a handshake, a ping or a call.</summary>
    static bool IsTooShortToServe(string setting, string value) =>
        (value == "one millisecond" && setting is "KeepAlive" or "IdleTime" or "HandshakeTime" or "CallTimeout")
        || (value == "one tick" && setting == "CallTimeout");

    [Theory]
    [MemberData(nameof(Table))]
    public async Task Time_of_an_option_works_or_is_refused_by_name(string setting, string value)
    {
        var (server, channel, accepted) = Settings[setting];
        var (serverOptions, channelOptions) = (server(Values[value]), channel(Values[value]));
        if (!accepted.Contains(value) && !IsTooShortToServe(setting, value))
        {
            var failure = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () =>
            {
                await using var refusing = new RpcChannel("a:1", channelOptions);
                await using var refused = await RpcServer.StartAsync("127.0.0.1:0", serverOptions);
            });
            Assert.Equal(setting, failure.ParamName);
            Assert.Contains($"{setting} must be", failure.Message, StringComparison.Ordinal);
            return;
        }

        await using var started = await RpcServer.StartAsync("127.0.0.1:0", serverOptions);
        started.AddService(TestService.Echo);
        await using var client = new RpcChannel(started.Address, channelOptions);
        if (IsTooShortToServe(setting, value))
            return;
        for (var call = 0; call < 2; call++)
            (await client.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        await using (var stream = await client.OpenStreamAsync("echo", "echo-stream").Soon())
        {
            await stream.WriteAsync(Hello).Soon();
            (await stream.ReadAsync().Soon())!.Value.Dispose();
        }

        await client.DisposeAsync().Soon();
        await started.DisposeAsync().Soon();
    }

    [Theory]
    [InlineData("zero", true)]
    [InlineData("negative", true)]
    [InlineData("minimum", true)]
    [InlineData("60 days", false)]
    [InlineData("maximum", false)]
    [InlineData("infinite", false)]
    public async Task Elapsed_timeout_fails_the_call_and_any_other_timeout_works(string value, bool isOver)
    {
        var options = new RpcCallOptions { Timeout = Values[value] };
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        for (var round = 0; round < 2; round++)
        {
            // The channel has to connect in the first round and is connected in the second.
            var call = pair.Channel.CallAsync("echo", "echo", Hello, options);
            var large = pair.Channel.CallAsync("echo", "echo", new byte[100_000], options);
            var open = pair.Channel.OpenStreamAsync("echo", "echo-stream", options);
            if (isOver)
            {
                await call.Fails(RpcStatus.Timeout);
                await large.Fails(RpcStatus.Timeout);
                await open.Fails(RpcStatus.Timeout);
            }
            else
            {
                (await call.Soon()).Dispose();
                (await large.Soon()).Dispose();
                await (await open.Soon()).DisposeAsync();
            }

            (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        }
    }

    [Fact]
    public async Task Deadline_beyond_the_range_of_timers_ends_the_call_when_it_is_due()
    {
        var time = new ManualTimeProvider();
        var service = new WaitingService();
        await using var pair = await Pair.StartAsync(
            channel: options => options with { TimeProvider = time, Limits = options.Limits with { KeepAlive = TimeSpan.FromDays(30) } },
            services: [service, TestService.Echo]);
        var call = pair.Channel.CallAsync("test", "wait", default, new RpcCallOptions { Timeout = TimeSpan.FromDays(60) }).AsTask();
        await service.Started.Soon();
        for (var week = 1; week <= 8; week++)
        {
            time.Advance(Week);
            (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();     // Keeps the connection alive.
            Assert.False(call.IsCompleted);
        }

        time.Advance(Week);
        await call.Fails(RpcStatus.Timeout);
        await service.Canceled.Soon();
    }

    [Fact]
    public async Task Call_that_waits_for_a_connection_beyond_the_range_of_timers_ends_when_it_is_due()
    {
        var time = new ManualTimeProvider();
        var network = new TestTransport(new InMemoryTransport());
        await using var channel = new RpcChannel("nowhere:1", new RpcChannelOptions
        {
            Transport = network,
            TimeProvider = time,
            InitialBackoff = TimeSpan.FromDays(30),
            MaxBackoff = TimeSpan.FromDays(30),
        });
        var options = new RpcCallOptions { Timeout = TimeSpan.FromDays(60), WaitForConnection = true };
        var call = channel.CallAsync("echo", "echo", Hello, options).AsTask();
        await Expect.Until(() => network.Attempts == 1);
        for (var day = 0; day < 59; day++)
        {
            time.Advance(TimeSpan.FromDays(1));
            Assert.False(call.IsCompleted);
        }

        await Expect.Until(() =>
        {
            time.Advance(TimeSpan.FromDays(1));
            return call.IsCompleted;
        });
        await call.Fails(RpcStatus.Timeout);
    }

    [Theory]
    [InlineData("channel")]
    [InlineData("server")]
    public async Task Call_ends_when_its_connection_cannot_run(string failing)
    {
        var time = new NoPeriodicTimers();
        await using var pair = await Pair.StartAsync(
            server: options => failing == "server" ? options with { TimeProvider = time } : options,
            channel: options => failing == "channel" ? options with { TimeProvider = time } : options,
            services: TestService.Echo);
        await pair.Channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Connection);
        await pair.Channel.DisposeAsync().Soon();
        await pair.Server.DisposeAsync().Soon();
    }

    static (Func<TimeSpan, RpcServerOptions> Server, Func<TimeSpan, RpcChannelOptions> Channel, string[] Accepted) OfLimits(
        Func<TimeSpan, RpcLimits> limits, params string[] accepted) =>
        (time => new RpcServerOptions { Limits = limits(time) }, time => new RpcChannelOptions { Limits = limits(time) }, accepted);

    /// <summary>A clock with which handshakes work but connections fail.</summary>
    sealed class NoPeriodicTimers : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            period > TimeSpan.Zero
                ? throw new InvalidOperationException("no periodic timers")
                : base.CreateTimer(callback, state, dueTime, period);
    }
}
