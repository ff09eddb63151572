using CsCheck;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

public sealed class StreamTests
{
    static readonly byte[] Hello = "hello"u8.ToArray();

    public static TheoryData<string> Transports => Pair.Transports;

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Messages_arrive_in_order_in_both_directions_until_both_sides_complete(string transport)
    {
        await using var pair = await Pair.StartAsync(transport, services: TestService.Echo);
        await using var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
        for (var i = 0; i < 1000; i++)
            await stream.WriteAsync(BitConverter.GetBytes(i)).Soon();
        await stream.CompleteAsync().Soon();
        for (var i = 0; i < 1000; i++)
        {
            using var message = await ReadAsync(stream);
            Assert.Equal(i, BitConverter.ToInt32(message.Span));
        }

        Assert.Null(await stream.ReadAsync().Soon());
        Assert.Null(await stream.ReadAsync().Soon());
        await Assert.ThrowsAsync<InvalidOperationException>(() => stream.WriteAsync(Hello).Soon());
    }

    [Theory]
    [InlineData("tcp", 1024)]
    [InlineData("memory", 1024)]
    [InlineData("memory", 1024 * 1024)]
    public async Task Messages_of_random_sizes_arrive_unchanged(string transport, int window)
    {
        await using var pair = await Pair.StartAsync(
            transport,
            options => options with { Limits = options.Limits with { StreamWindow = window } },
            options => options with { Limits = options.Limits with { StreamWindow = window } },
            TestService.Echo);
        var size = Gen.Frequency((10, Gen.Int[0, 300]), (2, Gen.Int[300, 5000]), (1, Gen.Int[60_000, 300_000]));
        await Gen.Select(size.Array[0, 40], Gen.Int).SampleAsync(
            async (sizes, seed) =>
            {
                await using var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
                var writing = WriteAllAsync(stream, sizes, seed);
                var random = new Random(seed);
                foreach (var length in sizes)
                {
                    using var message = await ReadAsync(stream);
                    var expected = new byte[length];
                    random.NextBytes(expected);
                    Assert.True(message.Span.SequenceEqual(expected));
                }

                Assert.Null(await stream.ReadAsync().Soon());
                await writing.Soon();
            },
            iter: 60,
            threads: 2);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Writer_waits_for_a_slow_reader(string transport)
    {
        const int Window = 16 * 1024;
        var ready = new TaskCompletionSource<RpcStream>();
        var done = new TaskCompletionSource();
        await using var pair = await Pair.StartAsync(
            transport,
            options => options with { Limits = options.Limits with { StreamWindow = Window } },
            services: Handing(ready, done));
        await using var writer = await pair.Channel.OpenStreamAsync("test", "stream").Soon();
        var reader = await ready.Task.Soon();
        var message = new byte[1000];
        var written = 0;
        Task waiting;
        while ((waiting = writer.WriteAsync(message).AsTask()).IsCompletedSuccessfully)
            written++;
        Assert.InRange(written, Window / 2000, (Window / 1000) + 1);
        (await pair.Channel.CallAsync("test", "ping", Hello).Soon()).Dispose();    // The connection itself is not blocked.
        Assert.False(waiting.IsCompleted);

        for (var i = 0; i < written; i++)
            (await ReadAsync(reader)).Dispose();
        await waiting.Soon();
        (await ReadAsync(reader)).Dispose();
        done.SetResult();
    }

    [Fact]
    public async Task Messages_larger_than_the_window_pass_one_by_one()
    {
        var ready = new TaskCompletionSource<RpcStream>();
        var done = new TaskCompletionSource();
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { StreamWindow = 1024 } }, services: Handing(ready, done));
        await using var writer = await pair.Channel.OpenStreamAsync("test", "stream").Soon();
        var reader = await ready.Task.Soon();
        await writer.WriteAsync(new byte[500_000]).Soon();
        var second = writer.WriteAsync(new byte[500_000]).AsTask();
        using (var message = await ReadAsync(reader))
            Assert.Equal(500_000, message.Memory.Length);
        await second.Soon();
        (await ReadAsync(reader)).Dispose();
        done.SetResult();
    }

    [Fact]
    public async Task Messages_of_several_writers_arrive_whole()
    {
        const int Writers = 8;
        const int PerWriter = 100;
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        await using var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
        var writing = Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var random = new Random(writer);
            for (var i = 0; i < PerWriter; i++)
            {
                var message = new byte[random.Next(20) == 0 ? 150_000 : random.Next(1, 2000)];
                Array.Fill(message, (byte)writer);
                await stream.WriteAsync(message);
            }
        })));
        var counts = new int[Writers];
        for (var i = 0; i < Writers * PerWriter; i++)
        {
            using var message = await ReadAsync(stream);
            var writer = message.Span[0];
            Assert.Equal(-1, message.Span.IndexOfAnyExcept(writer));
            counts[writer]++;
        }

        await writing.Soon();
        Assert.All(counts, count => Assert.Equal(PerWriter, count));
    }

    [Fact]
    public async Task Return_of_the_handler_ends_the_reads_and_fails_the_writes()
    {
        await using var pair = await Pair.StartAsync(services: new TestService("test", handlers =>
            handlers.HandleStream("brief", async (stream, cancellationToken) => await stream.WriteAsync(Hello, cancellationToken))));
        await using var stream = await pair.Channel.OpenStreamAsync("test", "brief").Soon();
        using (var message = await ReadAsync(stream))
            Assert.Equal(Hello, message.Memory.ToArray());
        Assert.Null(await stream.ReadAsync().Soon());
        await WriteUntilItFailsAsync(stream).Fails(RpcStatus.Canceled);
    }

    [Fact]
    public async Task Failure_of_the_handler_reaches_the_reader_after_the_earlier_messages()
    {
        await using var pair = await Pair.StartAsync(services: new TestService("test", handlers =>
            handlers.HandleStream("fail", async (stream, cancellationToken) =>
            {
                await stream.WriteAsync(Hello, cancellationToken);
                throw new InvalidOperationException("out of cake");
            })));
        await using var stream = await pair.Channel.OpenStreamAsync("test", "fail").Soon();
        (await ReadAsync(stream)).Dispose();
        var failure = await stream.ReadAsync().Fails(RpcStatus.Internal);
        Assert.Contains("out of cake", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Opening_a_stream_without_a_handler_fails()
    {
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        await pair.Channel.OpenStreamAsync("nowhere", "stream").Fails(RpcStatus.UnknownService);
        await pair.Channel.OpenStreamAsync("echo", "stream").Fails(RpcStatus.UnknownMessage);
    }

    [Fact]
    public async Task Stream_outlives_the_timeout_of_its_opening()
    {
        var time = new ManualTimeProvider();
        await using var pair = await Pair.StartAsync(
            channel: options => options with { TimeProvider = time, Limits = options.Limits with { KeepAlive = TimeSpan.FromDays(1) } },
            services: TestService.Echo);
        await using var stream = await pair.Channel
            .OpenStreamAsync("echo", "echo-stream", new RpcCallOptions { Timeout = TimeSpan.FromSeconds(1) }).Soon();
        time.Advance(TimeSpan.FromHours(1));
        await stream.WriteAsync(Hello).Soon();
        (await ReadAsync(stream)).Dispose();
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Disposing_a_stream_cancels_the_token_of_its_handler(string transport)
    {
        var service = new WaitingService();
        await using var pair = await Pair.StartAsync(transport, services: service);
        var stream = await pair.Channel.OpenStreamAsync("test", "wait-stream").Soon();
        var read = stream.ReadAsync().AsTask();
        await service.Started.Soon();
        await stream.DisposeAsync().Soon();
        await service.Canceled.Soon();
        await read.Fails(RpcStatus.Canceled);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.ReadAsync().Soon());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => stream.WriteAsync(Hello).Soon());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Both_ends_of_a_stream_fail_when_the_connection_is_cut(string transport)
    {
        var ready = new TaskCompletionSource<RpcStream>();
        var done = new TaskCompletionSource();
        await using var pair = await Pair.StartAsync(transport, services: Handing(ready, done));
        await using var near = await pair.Channel.OpenStreamAsync("test", "stream").Soon();
        var far = await ready.Task.Soon();
        var reads = new[] { near.ReadAsync().AsTask(), far.ReadAsync().AsTask() };
        await pair.Transport.CutAsync();
        foreach (var read in reads)
            await read.Fails(RpcStatus.Connection);
        await near.WriteAsync(Hello).Fails(RpcStatus.Connection);
        await far.WriteAsync(Hello).Fails(RpcStatus.Connection);
        done.SetResult();
    }

    [Fact]
    public async Task A_writer_that_waits_for_credit_fails_when_the_connection_is_cut()
    {
        var ready = new TaskCompletionSource<RpcStream>();
        var done = new TaskCompletionSource();
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { StreamWindow = 1024 } }, services: Handing(ready, done));
        await using var stream = await pair.Channel.OpenStreamAsync("test", "stream").Soon();
        await stream.WriteAsync(new byte[2000]).Soon();
        var waiting = stream.WriteAsync(Hello).AsTask();
        await pair.Transport.CutAsync();
        await waiting.Fails(RpcStatus.Connection);
        done.SetResult();
    }

    [Fact]
    public async Task Completion_waits_for_earlier_writes_and_can_be_canceled()
    {
        var ready = new TaskCompletionSource<RpcStream>();
        var done = new TaskCompletionSource();
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { StreamWindow = 1024 } }, services: Handing(ready, done));
        await using var stream = await pair.Channel.OpenStreamAsync("test", "stream").Soon();
        var reader = await ready.Task.Soon();
        await stream.WriteAsync(new byte[2000]).Soon();
        var waiting = stream.WriteAsync(Hello).AsTask();
        using var cancellation = new CancellationTokenSource();
        var completion = stream.CompleteAsync(cancellation.Token).AsTask();
        Assert.False(completion.IsCompleted);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => completion.Soon());

        (await ReadAsync(reader)).Dispose();
        await waiting.Soon();
        await stream.CompleteAsync().Soon();
        (await ReadAsync(reader)).Dispose();
        Assert.Null(await reader.ReadAsync().Soon());
        done.SetResult();
    }

    [Fact]
    public async Task Canceled_read_leaves_the_stream_usable()
    {
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        await using var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
        for (var i = 0; i < 100; i++)
        {
            using var cancellation = new CancellationTokenSource();
            var read = stream.ReadAsync(cancellation.Token).AsTask();
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.Soon());
            await stream.WriteAsync(BitConverter.GetBytes(i)).Soon();
            using var message = await ReadAsync(stream);
            Assert.Equal(i, BitConverter.ToInt32(message.Span));
        }
    }

    [Fact]
    public async Task Write_canceled_before_it_is_sent_leaves_the_stream_usable()
    {
        var ready = new TaskCompletionSource<RpcStream>();
        var done = new TaskCompletionSource();
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { StreamWindow = 1024 } }, services: Handing(ready, done));
        await using var stream = await pair.Channel.OpenStreamAsync("test", "stream").Soon();
        var reader = await ready.Task.Soon();
        await stream.WriteAsync(new byte[2000]).Soon();
        using var cancellation = new CancellationTokenSource();
        var lost = stream.WriteAsync("lost"u8.ToArray(), cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lost.Soon());
        (await ReadAsync(reader)).Dispose();
        await stream.WriteAsync(Hello).Soon();
        using var message = await ReadAsync(reader);
        Assert.Equal(Hello, message.Memory.ToArray());
        done.SetResult();
    }

    [Fact]
    public async Task Large_write_canceled_halfway_breaks_only_its_stream()
    {
        var ready = new TaskCompletionSource<RpcStream>();
        var done = new TaskCompletionSource();
        await using var pair = await Pair.StartAsync(services: Handing(ready, done));
        await using var stream = await pair.Channel.OpenStreamAsync("test", "stream").Soon();
        var reader = await ready.Task.Soon();
        using var permits = new SemaphoreSlim(0);
        pair.Transport.WritePermits = permits;
        using var cancellation = new CancellationTokenSource();
        var write = stream.WriteAsync(new byte[10_000_000], cancellation.Token).AsTask();
        await Expect.Until(() => pair.Transport.WritesWaiting > 0);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write.Soon());
        permits.Release(1_000_000);
        await stream.WriteAsync(Hello).Fails(RpcStatus.Canceled);
        await reader.ReadAsync().Fails(RpcStatus.Canceled);
        (await pair.Channel.CallAsync("test", "ping", Hello).Soon()).Dispose();
        done.SetResult();
    }

    [Fact]
    public async Task Second_concurrent_read_is_refused()
    {
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        await using var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
        var first = stream.ReadAsync().AsTask();
        await Assert.ThrowsAsync<InvalidOperationException>(() => stream.ReadAsync().Soon());
        await stream.WriteAsync(Hello).Soon();
        (await first.Soon())!.Value.Dispose();
    }

    [Fact]
    public async Task A_sender_that_ignores_the_window_loses_the_stream()
    {
        var ready = new TaskCompletionSource<RpcStream>();
        var done = new TaskCompletionSource();
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { StreamWindow = 1024 } }, services: Handing(ready, done));
        await using var client = await RawClient.GreetAsync(pair.Server);
        await client.SendAsync(RawClient.Frame(FrameType.OpenStream, 1, 0, Route.Encode("test", "stream")));
        Assert.Equal(FrameType.Accept, (await client.ReceiveAsync()).Header.Type);
        for (var i = 0; i < 3; i++)
            await client.SendAsync(RawClient.Frame(FrameType.Message, 1, 0, null, new byte[1000]));
        var (header, _) = await client.ReceiveAsync();
        Assert.Equal((FrameType.Error, (uint)RpcStatus.LimitExceeded), (header.Type, header.Value));
        var reader = await ready.Task.Soon();
        (await ReadAsync(reader)).Dispose();
        done.SetResult();
    }

    [Fact]
    public async Task Unread_stream_does_not_block_others()
    {
        var ready = new TaskCompletionSource<RpcStream>();
        var done = new TaskCompletionSource();
        await using var pair = await Pair.StartAsync(services: [TestService.Echo, Handing(ready, done)]);
        await using var stuck = await pair.Channel.OpenStreamAsync("test", "stream").Soon();
        while (stuck.WriteAsync(new byte[60_000]).AsTask() is { IsCompletedSuccessfully: true })
        {
        }

        await using var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
        var writing = WriteAllAsync(stream, [.. Enumerable.Repeat(50_000, 100)], seed: 1);
        for (var i = 0; i < 100; i++)
            (await ReadAsync(stream)).Dispose();
        await writing.Soon();
        done.SetResult();
    }

    /// <summary>Returns a service that hands its stream to the test and keeps the stream open until the test is done with it.</summary>
    static TestService Handing(TaskCompletionSource<RpcStream> ready, TaskCompletionSource done) => new("test", handlers =>
    {
        handlers.HandleStream("stream", async (stream, _) =>
        {
            ready.SetResult(stream);
            await done.Task;
        });
        handlers.HandleBytes("ping", (request, _) => ValueTask.FromResult(request.Payload));
    });

    static async Task<RpcPayload> ReadAsync(RpcStream stream) =>
        await stream.ReadAsync().Soon() ?? throw new InvalidOperationException("The stream is at its end.");

    static async Task WriteUntilItFailsAsync(RpcStream stream)
    {
        while (true)
            await stream.WriteAsync(Hello);
    }

    static async Task WriteAllAsync(RpcStream stream, int[] sizes, int seed)
    {
        var random = new Random(seed);
        foreach (var size in sizes)
        {
            var message = new byte[size];
            random.NextBytes(message);
            await stream.WriteAsync(message);
        }

        await stream.CompleteAsync();
    }
}
