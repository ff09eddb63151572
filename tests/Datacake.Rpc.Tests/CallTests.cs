using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

public sealed class CallTests
{
    static readonly byte[] Hello = "hello"u8.ToArray();

    public static TheoryData<string> Transports => Pair.Transports;

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Call_returns_its_reply(string transport)
    {
        await using var pair = await Pair.StartAsync(transport, services: TestService.Echo);
        using var reply = await pair.Channel.CallAsync("echo", "echo", Hello).Soon();
        Assert.Equal(Hello, reply.Memory.ToArray());
    }

    [Fact]
    public async Task Typed_message_gets_a_typed_reply()
    {
        await using var pair = await Pair.StartAsync(services: new TestService("math", handlers => handlers.Handle(new SumHandler())));
        var total = await pair.Channel.CallAsync<Sum, Total>("math", new Sum(40, 2)).Soon();
        Assert.Equal(42, total.Value);
    }

    [Theory]
    [InlineData("")]
    [InlineData("C1")]              // Nil.
    [InlineData("93010203")]        // Three numbers instead of two.
    [InlineData("92CA")]            // Truncated.
    public async Task Bytes_that_are_not_a_valid_message_fail_with_InvalidPayload(string hex)
    {
        await using var pair = await Pair.StartAsync(services: new TestService("math", handlers => handlers.Handle(new SumHandler())));
        var failure = await pair.Channel.CallAsync("math", "sum", Convert.FromHexString(hex)).Fails(RpcStatus.InvalidPayload);
        Assert.Contains("'sum'", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Many_concurrent_calls_each_get_their_own_reply(string transport)
    {
        await using var pair = await Pair.StartAsync(transport, services: TestService.Echo);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async caller =>
        {
            for (var call = 0; call < 50; call++)
            {
                var payload = BitConverter.GetBytes((caller * 1000) + call);
                using var reply = await pair.Channel.CallAsync("echo", "echo", payload);
                Assert.Equal(payload, reply.Memory.ToArray());
            }
        })).Soon();
    }

    [Fact]
    public async Task A_later_call_may_be_answered_first()
    {
        var gate = new TaskCompletionSource();
        await using var pair = await Pair.StartAsync(services: new TestService("test", handlers =>
        {
            handlers.HandleBytes("wait", async (_, _) =>
            {
                await gate.Task;
                return Hello;
            });
            handlers.HandleBytes("open", (_, _) =>
            {
                gate.SetResult();
                return ValueTask.FromResult<ReadOnlyMemory<byte>>(default);
            });
        }));
        var first = pair.Channel.CallAsync("test", "wait", default).AsTask();
        using (await pair.Channel.CallAsync("test", "open", default).Soon())
        using (await first.Soon())
            Assert.True(gate.Task.IsCompleted);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Payloads_of_every_size_arrive_whole(string transport)
    {
        await using var pair = await Pair.StartAsync(transport, services: TestService.Echo);
        int[] sizes = [0, 1, 255, 256, 257, 16 * 1024, 65535, 65536, 65537, 131072, 131073, 1_000_003, 16 * 1024 * 1024];
        foreach (var size in sizes)
        {
            var payload = new byte[size];
            new Random(size).NextBytes(payload);
            using var reply = await pair.Channel.CallAsync("echo", "echo", payload).Soon();
            Assert.True(reply.Span.SequenceEqual(payload), $"{size} bytes came back changed");
        }
    }

    [Fact]
    public async Task Small_call_overtakes_a_large_payload()
    {
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();

        using var permits = new SemaphoreSlim(0);
        pair.Transport.WritePermits = permits;
        var large = pair.Channel.CallAsync("echo", "echo", new byte[8 * 1024 * 1024]).AsTask();
        var small = pair.Channel.CallAsync("echo", "echo", Hello).AsTask();
        permits.Release(4);     // The large payload takes at least 60 writes.
        (await small.Soon()).Dispose();
        Assert.False(large.IsCompleted);
        permits.Release(10_000);
        using var reply = await large.Soon();
        Assert.Equal(8 * 1024 * 1024, reply.Memory.Length);
    }

    [Fact]
    public async Task Unknown_services_and_unknown_messages_have_different_statuses()
    {
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        var noService = await pair.Channel.CallAsync("nowhere", "echo", default).Fails(RpcStatus.UnknownService);
        Assert.Contains("'nowhere'", noService.Message, StringComparison.Ordinal);
        var noMessage = await pair.Channel.CallAsync("echo", "shout", default).Fails(RpcStatus.UnknownMessage);
        Assert.Contains("'shout'", noMessage.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_to_a_stream_handler_and_stream_to_a_call_handler_are_refused()
    {
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        await pair.Channel.CallAsync("echo", "echo-stream", default).Fails(RpcStatus.UnknownMessage);
        await pair.Channel.OpenStreamAsync("echo", "echo").Fails(RpcStatus.UnknownMessage);
    }

    [Fact]
    public async Task Services_can_be_added_and_removed_on_a_live_server()
    {
        await using var pair = await Pair.StartAsync();
        await pair.Channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.UnknownService);
        pair.Server.AddService(TestService.Echo);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        Assert.Throws<ArgumentException>(() => pair.Server.AddService(TestService.Echo));
        Assert.True(pair.Server.RemoveService("echo"));
        Assert.False(pair.Server.RemoveService("echo"));
        await pair.Channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.UnknownService);
    }

    [Fact]
    public async Task Exception_of_a_handler_is_an_internal_error_without_its_stack_trace()
    {
        await using var pair = await Pair.StartAsync(services: new TestService("test", handlers =>
            handlers.HandleBytes("fail", (_, _) => throw new InvalidOperationException("out of cake"))));
        var failure = await pair.Channel.CallAsync("test", "fail", default).Fails(RpcStatus.Internal);
        Assert.Contains("out of cake", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(nameof(CallTests), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_status_that_a_handler_throws_reaches_the_caller()
    {
        await using var pair = await Pair.StartAsync(services: new TestService("test", handlers =>
            handlers.HandleBytes("fail", async (_, _) =>
            {
                await Task.Yield();
                throw new RpcException(RpcStatus.InvalidPayload, "no such cake");
            })));
        var failure = await pair.Channel.CallAsync("test", "fail", default).Fails(RpcStatus.InvalidPayload);
        Assert.Contains("no such cake", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Deadline_ends_the_call_and_cancels_the_token_of_its_handler(string transport)
    {
        var time = new ManualTimeProvider();
        var service = new WaitingService();
        await using var pair = await Pair.StartAsync(
            transport, options => options with { TimeProvider = time }, options => options with { TimeProvider = time }, service);
        var call = pair.Channel.CallAsync("test", "wait", default, new RpcCallOptions { Timeout = TimeSpan.FromSeconds(3) }).AsTask();
        await service.Started.Soon();
        time.Advance(TimeSpan.FromSeconds(2.9));
        Assert.False(call.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.2));
        var failure = await call.Fails(RpcStatus.Timeout);
        Assert.Contains("test/wait", failure.Message, StringComparison.Ordinal);
        await service.Canceled.Soon();
    }

    [Fact]
    public async Task Server_enforces_the_deadline_by_its_own_clock()
    {
        var time = new ManualTimeProvider();
        var service = new WaitingService();
        await using var pair = await Pair.StartAsync(
            server: options => options with { TimeProvider = time, Limits = options.Limits with { KeepAlive = TimeSpan.FromDays(1) } },
            services: service);
        var call = pair.Channel.CallAsync("test", "wait", default, new RpcCallOptions { Timeout = TimeSpan.FromHours(1) }).AsTask();
        await service.Started.Soon();
        time.Advance(TimeSpan.FromHours(1));
        await service.Canceled.Soon();
        await call.Fails(RpcStatus.Timeout);
    }

    [Fact]
    public async Task Deadlines_of_many_calls_fire_in_order()
    {
        var time = new ManualTimeProvider();
        var service = new WaitingService();
        await using var pair = await Pair.StartAsync(
            channel: options => options with { TimeProvider = time, Limits = options.Limits with { KeepAlive = TimeSpan.FromDays(1) } },
            services: [TestService.Echo, service]);
        // Connect first, because the connection's own deadlines must not be among those that fire. Each call has its deadline when it returns.
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        // The timeouts are hours because the server also enforces the deadlines, on the real clock.
        var calls = Enumerable.Range(1, 20)
            .Select(hours => pair.Channel.CallAsync(
                "test", "wait", default, new RpcCallOptions { Timeout = TimeSpan.FromHours((hours * 7 % 20) + 1) }).AsTask())
            .ToArray();
        foreach (var (call, hours) in calls.Select((call, i) => (call, ((i + 1) * 7 % 20) + 1)).OrderBy(pair => pair.Item2))
        {
            time.Advance(TimeSpan.FromHours(1));
            await call.Fails(RpcStatus.Timeout);
            Assert.Equal(20 - hours, calls.Count(other => !other.IsCompleted));
        }
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Canceling_a_call_cancels_the_token_of_its_handler(string transport)
    {
        var service = new WaitingService();
        await using var pair = await Pair.StartAsync(transport, services: service);
        using var cancellation = new CancellationTokenSource();
        var call = pair.Channel.CallAsync("test", "wait", default, cancellationToken: cancellation.Token).AsTask();
        await service.Started.Soon();
        await cancellation.CancelAsync();
        var failure = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Soon());
        Assert.Equal(cancellation.Token, failure.CancellationToken);
        await service.Canceled.Soon();
    }

    [Fact]
    public async Task Call_with_a_canceled_token_is_not_sent()
    {
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => pair.Channel.CallAsync("echo", "echo", Hello, cancellationToken: new CancellationToken(canceled: true)).Soon());
        Assert.Equal(0, pair.Transport.Attempts);
    }

    [Fact]
    public async Task Canceling_calls_at_any_moment_does_not_affect_the_others()
    {
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async caller =>
        {
            var random = new Random(caller);
            for (var i = 0; i < 500; i++)
            {
                using var cancellation = new CancellationTokenSource();
                var payload = BitConverter.GetBytes((caller * 1000) + i);
                var call = pair.Channel.CallAsync("echo", "echo", payload, cancellationToken: cancellation.Token);
                if (random.Next(2) == 0)
                    cancellation.Cancel();
                try
                {
                    using var reply = await call;
                    Assert.Equal(payload, reply.Memory.ToArray());
                }
                catch (OperationCanceledException)
                {
                    Assert.True(cancellation.IsCancellationRequested);
                }
            }
        })).Soon();
    }

    [Fact]
    public async Task A_payload_beyond_the_servers_limit_is_refused_before_it_is_sent()
    {
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { MessageSize = 1000 } }, services: TestService.Echo);
        (await pair.Channel.CallAsync("echo", "echo", new byte[1000]).Soon()).Dispose();
        var failure = await pair.Channel.CallAsync("echo", "echo", new byte[1001]).Fails(RpcStatus.LimitExceeded);
        Assert.Contains("1000", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reply_beyond_the_limit_of_the_caller_fails_only_its_call()
    {
        await using var pair = await Pair.StartAsync(
            channel: options => options with { Limits = options.Limits with { MessageSize = 1000 } },
            services: new TestService("test", handlers => handlers.HandleBytes(
                "zeros",
                (request, _) => ValueTask.FromResult<ReadOnlyMemory<byte>>(new byte[BitConverter.ToInt32(request.Payload.Span)]))));
        await pair.Channel.CallAsync("test", "zeros", BitConverter.GetBytes(1001)).Fails(RpcStatus.LimitExceeded);
        using var reply = await pair.Channel.CallAsync("test", "zeros", BitConverter.GetBytes(1000)).Soon();
        Assert.Equal(1000, reply.Memory.Length);
    }

    [Theory]
    [InlineData(1, 1000)]
    [InlineData(1000, 1)]
    public async Task Calls_beyond_the_limit_of_either_side_wait_for_their_turn(int serverLimit, int channelLimit)
    {
        var running = 0;
        var most = 0;
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { CallsInFlight = serverLimit } },
            channel: options => options with { Limits = options.Limits with { CallsInFlight = channelLimit } },
            services: new TestService("test", handlers => handlers.HandleBytes("count", async (_, _) =>
            {
                InterlockedMax(ref most, Interlocked.Increment(ref running));
                await Task.Yield();
                Interlocked.Decrement(ref running);
                return default;
            })));
        var calls = Enumerable.Range(0, 16).Select(_ => pair.Channel.CallAsync("test", "count", default).AsTask()).ToArray();
        foreach (var call in calls)
            (await call.Soon()).Dispose();
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task Call_that_waits_for_its_turn_can_be_canceled()
    {
        var service = new WaitingService();
        await using var pair = await Pair.StartAsync(
            channel: options => options with { Limits = options.Limits with { CallsInFlight = 1 } }, services: service);
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var running = pair.Channel.CallAsync("test", "wait", default, cancellationToken: first.Token).AsTask();
        await service.Started.Soon();
        var waiting = pair.Channel.CallAsync("test", "wait", default, cancellationToken: second.Token).AsTask();
        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Soon());
        Assert.False(running.IsCompleted);
        await first.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running.Soon());
    }

    [Fact]
    public async Task Disposed_payload_cannot_be_read()
    {
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        var reply = await pair.Channel.CallAsync("echo", "echo", Hello).Soon();
        reply.Dispose();
        reply.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reply.Memory.Length);
        using var next = await pair.Channel.CallAsync("echo", "echo", Hello).Soon();
        reply.Dispose();
        Assert.Equal(Hello, next.Memory.ToArray());
    }

    [Fact]
    public async Task A_request_cannot_be_read_after_its_handler_has_finished()
    {
        RpcRequest kept = default;
        await using var pair = await Pair.StartAsync(services: new TestService("test", handlers =>
            handlers.HandleBytes("keep", (request, _) =>
            {
                kept = request;
                Assert.Equal(Hello, request.Payload.ToArray());
                return default;
            })));
        (await pair.Channel.CallAsync("test", "keep", Hello).Soon()).Dispose();
        await Expect.Until(() => Record.Exception(() => kept.Payload.Length) is ObjectDisposedException);
    }

    [Fact]
    public async Task Names_that_cannot_be_encoded_are_refused()
    {
        await using var pair = await Pair.StartAsync(services: TestService.Echo);
        var tooLong = new string('x', 256);
        foreach (var connect in new[] { true, false })
        {
            await Assert.ThrowsAsync<ArgumentException>(async () => await pair.Channel.CallAsync(tooLong, "echo", Hello));
            await Assert.ThrowsAsync<ArgumentException>(async () => await pair.Channel.CallAsync("echo", "", Hello));
            await Assert.ThrowsAsync<ArgumentException>(async () => await pair.Channel.OpenStreamAsync("echo", tooLong));
            if (connect)
                (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        }

        Assert.Throws<ArgumentException>(() => pair.Server.AddService(new TestService(tooLong, _ => { })));
        Assert.Throws<ArgumentException>(
            () => pair.Server.AddService(new TestService("x", handlers => handlers.HandleBytes("", (_, _) => default))));
        Assert.Throws<ArgumentException>(() => pair.Server.AddService(new TestService("x", handlers =>
        {
            handlers.HandleBytes("twice", (_, _) => default);
            handlers.HandleBytes("twice", (_, _) => default);
        })));
    }

    static void InterlockedMax(ref int target, int value)
    {
        int seen;
        while ((seen = Volatile.Read(ref target)) < value && Interlocked.CompareExchange(ref target, value, seen) != seen)
        {
        }
    }
}
