using System.Diagnostics;
using System.Diagnostics.Metrics;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

/// <summary>Traces and metrics. The tests do not run in parallel with others because listeners observe all channels and servers of the process.</summary>
[CollectionDefinition("telemetry", DisableParallelization = true)]
public sealed class TelemetryCollection;

[Collection("telemetry")]
public sealed class TelemetryTests
{
    static readonly byte[] Hello = "hello"u8.ToArray();

    [Fact]
    public async Task Trace_continues_from_the_caller_into_the_handler()
    {
        var spans = new Recorded<Activity>();
        using var listener = Listen(spans);
        using var application = new Activity("application").SetIdFormat(ActivityIdFormat.W3C);
        application.TraceStateString = "vendor=1";
        Activity? inHandler = null;
        await using var pair = await Pair.StartAsync(services: new TestService("test", handlers =>
            handlers.HandleBytes("call", (request, _) =>
            {
                inHandler = Activity.Current;
                return ValueTask.FromResult(request.Payload);
            })));
        application.Start();
        (await pair.Channel.CallAsync("test", "call", Hello).Soon()).Dispose();
        Assert.Same(application, Activity.Current);
        await Expect.Until(() => spans.Items.Count == 2);
        var client = Assert.Single(spans.Items, span => span.Kind == ActivityKind.Client);
        var server = Assert.Single(spans.Items, span => span.Kind == ActivityKind.Server);
        Assert.Same(server, inHandler);
        Assert.Equal(application.SpanId, client.ParentSpanId);
        Assert.Equal(client.SpanId, server.ParentSpanId);
        Assert.Equal(application.TraceId, server.TraceId);
        Assert.Equal("vendor=1", server.TraceStateString);
        Assert.Equal("test/call", server.DisplayName);
        Assert.Equal(pair.Server.Address, client.GetTagItem("server.address"));
    }

    [Fact]
    public async Task Trace_of_the_application_is_propagated_without_a_listener_for_Datacake()
    {
        using var application = new Activity("application").SetIdFormat(ActivityIdFormat.W3C).Start();
        string? seen = null;
        await using var pair = await Pair.StartAsync(services: new TestService("test", handlers =>
            handlers.HandleStream("stream", (stream, _) =>
            {
                seen = stream.Headers["traceparent"];
                return Task.CompletedTask;
            })));
        await using var stream = await pair.Channel.OpenStreamAsync("test", "stream").Soon();
        Assert.Null(await stream.ReadAsync().Soon());
        Assert.Equal(application.Id, seen);
    }

    [Fact]
    public async Task Span_of_a_failed_call_contains_the_error()
    {
        var spans = new Recorded<Activity>();
        using var listener = Listen(spans);
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        await pair.Channel.CallAsync("echo", "missing", Hello).Fails(RpcStatus.UnknownMessage);
        await Expect.Until(() => spans.Items.Count == 2);
        Assert.All(spans.Items, span => Assert.Equal(ActivityStatusCode.Error, span.Status));
        Assert.All(spans.Items, span => Assert.Equal("UnknownMessage", span.GetTagItem("error.type")));
        Assert.Single(spans.Items, span => span.DisplayName == "_unknown/_unknown");
    }

    [Fact]
    public async Task Calls_bytes_connections_and_refusals_are_counted_on_both_sides()
    {
        var measured = new Recorded<string>();
        using var listener = new MeterListener();
        long sent = 0, received = 0, connections = 0;
        listener.InstrumentPublished = (instrument, meters) =>
        {
            if (instrument.Meter.Name == "Datacake.Rpc")
                meters.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var text = Describe(tags);
            if (instrument.Name == "datacake.rpc.bytes")
                Interlocked.Add(ref text.Contains("sent", StringComparison.Ordinal) ? ref sent : ref received, value);
            else if (instrument.Name == "datacake.rpc.connections")
                Interlocked.Add(ref connections, value);
            else
                measured.Add($"{instrument.Name} {value} {text}");
        });
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            Assert.True(value >= 0);
            measured.Add($"{instrument.Name} {Describe(tags)}");
        });
        listener.Start();
        await using (var pair = await Pair.StartAsync(services: TestService.Echo))
        {
            (await pair.Channel.CallAsync("echo", "echo", new byte[100_000]).Soon()).Dispose();
            await pair.Channel.CallAsync("echo", "missing", Hello).Fails(RpcStatus.UnknownMessage);
            await Expect.Until(() => measured.Items.Count == 8);
            // Wait only while the connection is open: the last bytes sent may have no receiver.
            await Expect.Until(() => Volatile.Read(ref sent) == Volatile.Read(ref received));
            Assert.Equal(2, Volatile.Read(ref connections));
            var address = pair.Server.Address;
            foreach (var call in (string[])
                ["side=client service=echo message=echo status=Ok",
                "side=server service=echo message=echo status=Ok",
                "side=client service=echo message=missing status=UnknownMessage",
                "side=server service=_unknown message=_unknown status=UnknownMessage"])
            {
                Assert.Contains($"datacake.rpc.calls 1 {call}", measured.Items);
                Assert.Contains($"datacake.rpc.call.duration {call}", measured.Items);
            }

            await using var stranger = new RpcChannel(address, new RpcChannelOptions { ClusterSecret = "0123456789abcdef" });
            await stranger.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Unauthenticated);
            await Expect.Until(() => measured.Items.Count(item => item.Contains("refused", StringComparison.Ordinal)) == 2);
            Assert.Contains("datacake.rpc.connections.refused 1 side=server status=Unauthenticated", measured.Items);
            Assert.Contains("datacake.rpc.connections.refused 1 side=client status=Unauthenticated", measured.Items);
        }

        Assert.Equal(0, connections);
        Assert.InRange(sent, 200_000, 210_000);
        Assert.InRange(received, 200_000, sent);
    }

    static ActivityListener Listen(Recorded<Activity> spans)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Datacake.Rpc",
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Add,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }

    static string Describe(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var parts = new List<string>();
        foreach (var (key, value) in tags)
            parts.Add($"{key}={value}");
        return string.Join(' ', parts);
    }

    /// <summary>The items that listeners receive, from any thread.</summary>
    sealed class Recorded<T>
    {
        readonly Lock _gate = new();
        readonly List<T> _items = [];

        public IReadOnlyList<T> Items
        {
            get
            {
                lock (_gate)
                    return [.. _items];
            }
        }

        public void Add(T item)
        {
            lock (_gate)
                _items.Add(item);
        }
    }
}
