using System.Diagnostics;
using System.Diagnostics.Metrics;
using Datacake.Rpc.Tests.Fixtures;
using Microsoft.Extensions.Logging;

namespace Datacake.Rpc.Tests;

/// <summary>Loggers and listeners that throw. In the collection of the telemetry tests, because listeners observe all channels and servers of the process.</summary>
[Collection("telemetry")]
public sealed class ObserverTests
{
    static readonly byte[] Hello = "hello"u8.ToArray();

    public static TheoryData<string> Exceptions => ["failure", "cancellation", "disposal"];

    [Theory]
    [MemberData(nameof(Exceptions))]
    public Task Calls_and_connections_survive_a_throwing_logger(string kind) => EverythingWorksAsync(new ThrowingLogger(() => NewException(kind)));

    [Theory]
    [MemberData(nameof(Exceptions))]
    public async Task Calls_and_connections_survive_a_throwing_metric_listener(string kind)
    {
        var heard = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, meters) =>
        {
            if (instrument.Meter.Name == "Datacake.Rpc")
                meters.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, _, _, _) => Throw());
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => Throw());
        listener.Start();
        await EverythingWorksAsync(null);
        Assert.NotEqual(0, heard);

        void Throw()
        {
            Interlocked.Increment(ref heard);
            throw NewException(kind);
        }
    }

    [Theory]
    [InlineData("sample")]
    [InlineData("start")]
    [InlineData("stop")]
    public async Task Calls_and_connections_survive_a_throwing_trace_listener(string at)
    {
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Datacake.Rpc",
            Sample = (ref _) => at == "sample" ? throw NewException("failure") : ActivitySamplingResult.AllData,
            ActivityStarted = _ => ThrowAt("start"),
            ActivityStopped = _ => ThrowAt("stop"),
        };
        ActivitySource.AddActivityListener(listener);
        await EverythingWorksAsync(null);
        Assert.Null(Activity.Current);

        void ThrowAt(string place)
        {
            if (at == place)
                throw NewException("failure");
        }
    }

    /// <summary>Exercises everything that is observed: connects, refusals, limits, garbage, calls, streams, failures and lost connections.</summary>
    static async Task EverythingWorksAsync(ThrowingLogger? logger)
    {
        var failing = new TestService("failing", handlers => handlers.HandleBytes("fail", (_, _) => throw new UnspeakableException()));
        await using var pair = await Pair.StartAsync(
            server: options => options with
            {
                Logger = logger ?? options.Logger,
                ClusterSecret = "correct horse battery staple",
                Limits = options.Limits with { Connections = 2 },
            },
            channel: options => options with
            {
                Logger = logger ?? options.Logger,
                ClusterSecret = "correct horse battery staple",
                InitialBackoff = TimeSpan.FromMilliseconds(1),
                MaxBackoff = TimeSpan.FromMilliseconds(1),
            },
            services: [TestService.Echo, failing, new WaitingService()]);
        for (var round = 0; round < 3; round++)
        {
            using (var reply = await pair.Channel.CallAsync("echo", "echo", Hello, new RpcCallOptions { WaitForConnection = true }).Soon())
                Assert.Equal(Hello, reply.Memory.ToArray());
            await using (var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon())
            {
                await stream.WriteAsync(Hello).Soon();
                (await stream.ReadAsync().Soon())!.Value.Dispose();
            }

            await pair.Channel.CallAsync("failing", "fail", Hello).Fails(RpcStatus.Internal);
            await pair.Channel.CallAsync("missing", "missing", Hello).Fails(RpcStatus.UnknownService);
            // The server may not have noticed yet that earlier connections have ended, and then refuses new ones because of their number.
            await Expect.Until(async () => await RefusalOfStrangerAsync(pair) == RpcStatus.Unauthenticated);
            await Expect.Until(async () =>
            {
                await using var silent = await RawClient.ConnectAsync(pair.Server);
                return await RefusalOfStrangerAsync(pair) == RpcStatus.LimitExceeded;
            });

            var lost = pair.Channel.CallAsync("test", "wait", default).AsTask();
            await pair.Transport.CutAsync();
            await lost.Fails(RpcStatus.Connection);
        }
    }

    static async Task<RpcStatus> RefusalOfStrangerAsync(Pair pair)
    {
        await using var stranger = new RpcChannel(pair.Server.Address);
        return (await Assert.ThrowsAsync<RpcException>(() => stranger.CallAsync("echo", "echo", Hello).Soon())).Status;
    }

    static Exception NewException(string kind) => kind switch
    {
        "failure" => new InvalidOperationException("the observer fails"),
        "cancellation" => new OperationCanceledException("the observer gives up"),
        _ => new ObjectDisposedException("the observer"),
    };

    sealed class ThrowingLogger(Func<Exception> newException) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => throw newException();

        public bool IsEnabled(LogLevel logLevel) => logLevel == LogLevel.Debug ? throw newException() : true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw newException();
    }

    sealed class UnspeakableException : Exception
    {
        public override string Message => throw new InvalidOperationException("no message either");
    }
}
