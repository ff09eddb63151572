using Datacake.Rpc.Framing;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

public sealed class BudgetTests
{
    const int KiB = 1024;

    static readonly byte[] Large = new byte[100 * KiB];         // held in a buffer of 128 KiB

    TaskCompletionSource _finish = new(TaskCreationOptions.RunContinuationsAsynchronously);     // of the calls that are held
    int _held;

    [Fact]
    public async Task What_one_connection_may_hold_is_limited()
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
    public async Task What_all_connections_together_may_hold_is_limited()
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
    public async Task A_connection_that_is_lost_gives_back_what_it_held()
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
    public async Task A_client_that_is_cut_off_gives_back_what_it_held(string sent)
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

    async Task<Task<RpcPayload>[]> HoldAsync(RpcChannel channel, int count)
    {
        var before = Volatile.Read(ref _held);
        var calls = Call(channel, count);
        await Expect.Until(() => Volatile.Read(ref _held) == before + count);
        return calls;
    }

    /// <summary>Waits until as much can be held at once as the server allows: it takes note of what is over in its own time.</summary>
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

    /// <summary>Lets the calls that are held end, and those after them be held again.</summary>
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
