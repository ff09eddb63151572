using Datacake.Rpc.Framing;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

public sealed class BudgetTests
{
    const int KiB = 1024;

    static readonly byte[] Large = new byte[100 * KiB];         // Takes a buffer of 128 KiB.

    TaskCompletionSource _finish = new(TaskCreationOptions.RunContinuationsAsynchronously);     // Completes the calls that are held.
    int _held;

    [Fact]
    public async Task Memory_held_by_one_connection_is_limited()
    {
        await using var pair = await StartAsync(total: 4096 * KiB);
        var held = await HoldAsync(pair.Channel, 4);
        var failure = await pair.Channel.CallAsync("test", "hold", Large).Fails(RpcStatus.LimitExceeded);
        Assert.Contains("(BufferedBytes)", failure.Message, StringComparison.Ordinal);
        await using var second = new RpcChannel(pair.Server.Address);
        var other = await HoldAsync(second, 1);
        await FinishAsync([.. held, .. other]);
    }

    [Fact]
    public async Task Memory_held_by_all_connections_is_limited()
    {
        await using var pair = await StartAsync(total: 512 * KiB);
        await using var second = new RpcChannel(pair.Server.Address);
        var held = await HoldAsync(pair.Channel, 2);
        var other = await HoldAsync(second, 2);
        foreach (var channel in (RpcChannel[])[pair.Channel, second])
        {
            var failure = await channel.CallAsync("test", "hold", Large).Fails(RpcStatus.LimitExceeded);
            Assert.Contains("(TotalBufferedBytes)", failure.Message, StringComparison.Ordinal);
            (await channel.CallAsync("echo", "echo", new byte[10]).Soon()).Dispose();
        }

        await FinishAsync([.. held, .. other]);
        await AllCanBeHeldAgainAsync(second);
    }

    [Fact]
    public async Task Lost_connection_releases_its_memory()
    {
        await using var pair = await StartAsync(total: 512 * KiB);
        var held = await HoldAsync(pair.Channel, 4);
        await pair.Transport.CutAsync();
        foreach (var call in held)
            await call.Fails(RpcStatus.Connection);
        await using var second = new RpcChannel(pair.Server.Address);
        await AllCanBeHeldAgainAsync(second);
    }

    [Theory]
    [InlineData("half a request")]
    [InlineData("a request without a route")]
    [InlineData("two requests of one id")]
    [InlineData("a reply")]
    public async Task Client_that_is_cut_off_releases_its_memory(string sent)
    {
        await using var pair = await StartAsync(total: 512 * KiB);
        var route = Route.Encode("test", "hold");
        var request = RawClient.Frame(FrameType.Request, 1, 0, route, new byte[60 * KiB]);
        byte[] bytes = sent switch
        {
            "half a request" => request[..(40 * KiB)],
            "a request without a route" => RawClient.Frame(FrameType.Request, 1, 0, [0xFF, 0xFF], new byte[60 * KiB]),
            "two requests of one id" => [.. request, .. request],
            _ => RawClient.Frame(FrameType.Reply, 1, 0, null, new byte[60 * KiB]),
        };
        for (var i = 0; i < 6; i++)
        {
            await using var client = await RawClient.GreetAsync(pair.Server);
            await client.SendAsync(bytes);
            if (sent != "half a request")
                await client.IsCutAsync();
        }

        await AllCanBeHeldAgainAsync(pair.Channel);
    }

    [Fact]
    public async Task Calls_of_a_client_that_does_not_read_its_replies_wait_until_it_reads()
    {
        const int Calls = 200;
        var made = 0;
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { MessageSize = 1024 * KiB, BufferedBytes = 4096 * KiB, KeepAlive = Eventually.Deadline } },
            services: new TestService("test", handlers => handlers.HandleBytes("large", (_, _) =>
            {
                // Later replies are mostly small or errors.
                var number = Interlocked.Increment(ref made);
                return number > 20 && number % 3 == 0
                    ? throw new InvalidOperationException("The handler failed.")
                    : ValueTask.FromResult<ReadOnlyMemory<byte>>(new byte[number > 20 ? 10 : 1024 * KiB]);
            })));
        await using var client = await RawClient.GreetAsync(pair.Server);
        for (uint id = 1; id <= Calls; id++)
            await client.SendAsync(RawClient.Frame(FrameType.Request, id, 0, Route.Encode("test", "large")));
        await Expect.Until(() => Volatile.Read(ref made) >= 4);
        await using var other = new RpcChannel(pair.Server.Address);
        (await other.CallAsync("test", "large", default).Soon()).Dispose();
        Assert.InRange(Volatile.Read(ref made), 4, Calls / 2);
        var replied = new HashSet<uint>();
        while (replied.Count < Calls)
        {
            var (header, _) = await client.ReceiveAsync();
            if (header.Type is FrameType.Reply or FrameType.Chunk or FrameType.Error && !header.HasMore)
                Assert.True(replied.Add(header.Id));
        }
    }

    [Fact]
    public async Task Calls_that_wait_for_the_client_to_read_end_with_their_timeout_or_connection()
    {
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { MessageSize = 1024 * KiB, BufferedBytes = 4096 * KiB, KeepAlive = Eventually.Deadline } },
            services: new TestService("test", handlers => handlers.HandleBytes("large", (_, _) => ValueTask.FromResult<ReadOnlyMemory<byte>>(new byte[1024 * KiB]))));
        await using (var client = await RawClient.GreetAsync(pair.Server))
        {
            for (uint id = 1; id <= 100; id++)
                await client.SendAsync(RawClient.Frame(FrameType.Request, id, value: id > 50 ? 1u : 0, Route.Encode("test", "large")));
            FrameHeader header;
            do
                (header, _) = await client.ReceiveAsync();
            while (header.Type != FrameType.Error || header.Value != (uint)RpcStatus.Timeout);
        }

        // The other calls ended with their connection, so nothing delays the shutdown of the server.
    }

    [Fact]
    public async Task Unread_stream_messages_count_toward_the_limit_however_small_they_are()
    {
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { MessageSize = 4 * KiB, BufferedBytes = 64 * KiB } },
            services: new WaitingService());
        await using var stream = await pair.Channel.OpenStreamAsync("test", "wait-stream").Soon();
        var failure = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            for (var i = 0; i < 10_000; i++)
                await stream.WriteAsync(default).Soon();
            await stream.ReadAsync().Soon();
        });
        Assert.Contains("(BufferedBytes)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unfinished_handshakes_per_host_are_limited()
    {
        using var log = new CollectingLog();
        await using var pair = await Pair.StartAsync(
            server: options => options with { Limits = options.Limits with { HandshakesPerHost = 3 }, Logger = log }, services: TestService.Echo);
        var stalled = new List<RawClient>();
        for (var i = 0; i < 3; i++)
        {
            stalled.Add(await RawClient.ConnectAsync(pair.Server));
            await stalled[^1].SendAsync("DCRP"u8.ToArray());
        }

        await Expect.Until(async () =>
        {
            await using var fourth = await RawClient.ConnectAsync(pair.Server);
            await fourth.IsCutAsync();
            return log.Contains("3 handshakes with this host are already in progress (HandshakesPerHost)");
        });
        foreach (var client in stalled)
            await client.DisposeAsync();
        var patient = new RpcCallOptions { WaitForConnection = true, Timeout = Eventually.Deadline };
        (await pair.Channel.CallAsync("echo", "echo", new byte[10], patient).Soon()).Dispose();
    }

    [Fact]
    public async Task Wrong_guesses_of_the_secret_occupy_the_handshakes_of_their_host_for_a_while()
    {
        var (time, wait) = (new ManualTimeProvider(), TimeSpan.FromMilliseconds(500));
        await using var pair = await Pair.StartAsync(
            "sealed", server: options => options with { Limits = options.Limits with { HandshakesPerHost = 3 }, TimeProvider = time }, services: TestService.Echo);
        var strangers = Enumerable.Range(0, 3)
            .Select(i => new RpcChannel(pair.Server.Address, new RpcChannelOptions { ClusterSecret = $"the guess with number {i}" })).ToArray();
        var guesses = strangers.Select(stranger => stranger.CallAsync("echo", "echo", new byte[10]).AsTask()).ToArray();
        await Expect.Until(() => time.CountDueIn(wait) == 3);
        var failure = await pair.Channel.CallAsync("echo", "echo", new byte[10]).Fails(RpcStatus.LimitExceeded);
        Assert.Contains("3 handshakes with this host are already in progress (HandshakesPerHost)", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(guesses, guess => guess.IsCompleted);
        time.Advance(wait);
        foreach (var guess in guesses)
            await guess.Fails(RpcStatus.Unauthenticated);
        foreach (var stranger in strangers)
            await stranger.DisposeAsync();
        var patient = new RpcCallOptions { WaitForConnection = true, Timeout = Eventually.Deadline };
        (await pair.Channel.CallAsync("echo", "echo", new byte[10], patient).Soon()).Dispose();
    }

    async Task<Task<RpcPayload>[]> HoldAsync(RpcChannel channel, int count)
    {
        var before = Volatile.Read(ref _held);
        var calls = Call(channel, count);
        await Expect.Until(() => Volatile.Read(ref _held) == before + count);
        return calls;
    }

    /// <summary>Waits until the server's whole budget can be held at once. The server releases the memory of finished calls with a delay.</summary>
    async Task AllCanBeHeldAgainAsync(RpcChannel channel)
    {
        var areHeld = false;
        using var deadline = new CancellationTokenSource(Eventually.Deadline);
        while (!areHeld)
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Expect.Until(() => Volatile.Read(ref _held) == 0);
            var calls = Call(channel, 4);
            await Expect.Until(() => Volatile.Read(ref _held) + calls.Count(call => call.IsFaulted) == calls.Length);
            areHeld = !calls.Any(call => call.IsFaulted);
            Release();
            foreach (var call in calls)
            {
                if (call.IsFaulted)
                    await call.Fails(RpcStatus.LimitExceeded);
                else
                    (await call.Soon()).Dispose();
            }
        }
    }

    static Task<RpcPayload>[] Call(RpcChannel channel, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => channel.CallAsync("test", "hold", Large).AsTask())];

    async Task FinishAsync(Task<RpcPayload>[] calls)
    {
        Release();
        foreach (var call in calls)
            (await call.Soon()).Dispose();
    }

    /// <summary>Completes the calls that are held. Later calls are held again.</summary>
    void Release() =>
        Interlocked.Exchange(ref _finish, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();

    Task<Pair> StartAsync(long total) => Pair.StartAsync(
        server: options => options with
        {
            Limits = options.Limits with { MessageSize = 128 * KiB, BufferedBytes = 512 * KiB, TotalBufferedBytes = total },
        },
        services:
        [
            TestService.Echo,
            new TestService("test", handlers => handlers.HandleBytes("hold", async (_, cancellationToken) =>
            {
                var finish = Volatile.Read(ref _finish);
                Interlocked.Increment(ref _held);
                try
                {
                    await finish.Task.WaitAsync(cancellationToken);
                    return default;
                }
                finally
                {
                    Interlocked.Decrement(ref _held);
                }
            })),
        ]);
}
