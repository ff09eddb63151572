using Datacake.Rpc.Framing;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

public sealed class BudgetTests
{
    const int KiB = 1024;

    static readonly byte[] Large = new byte[100 * KiB];         // held in a buffer of 128 KiB

    readonly TaskCompletionSource _finish = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int _started;

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
        await FinishAsync(await HoldAsync(second, 4));
    }

    [Fact]
    public async Task A_connection_that_is_lost_gives_back_what_it_held()
    {
        await using var pair = await StartAsync(total: 512 * KiB);
        var held = await HoldAsync(pair.Channel, 4);
        await pair.Transport.CutAsync();
        foreach (var call in held)
            await call.Fails(RpcStatus.Connection);
        _finish.SetResult();
        await using var second = new RpcChannel(pair.Server.Address);
        await Expect.Until(() => Volatile.Read(ref _started) == 0);
        await FinishAsync(await HoldAsync(second, 4));
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

        _finish.SetResult();
        Task<RpcPayload>[] calls;
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        do
        {
            // The server takes note of the end of a connection in its own time.
            deadline.Token.ThrowIfCancellationRequested();
            calls = await HoldAsync(pair.Channel, 4);
            await Task.WhenAll(calls).Soon().ContinueWith(_ => { }, TaskScheduler.Default);
        }
        while (!calls.All(call => call.IsCompletedSuccessfully));
    }

    async Task<Task<RpcPayload>[]> HoldAsync(RpcChannel channel, int count)
    {
        var before = Volatile.Read(ref _started);
        Task<RpcPayload>[] calls = [.. Enumerable.Range(0, count).Select(_ => channel.CallAsync("test", "hold", Large).AsTask())];
        await Expect.Until(() => _finish.Task.IsCompleted || Volatile.Read(ref _started) == before + count);
        return calls;
    }

    async Task FinishAsync(Task<RpcPayload>[] calls)
    {
        _finish.TrySetResult();
        foreach (var call in calls)
            (await call.Soon()).Dispose();
    }

    Task<Pair> StartAsync(long total) => Pair.StartAsync(
        server: options => options with
        {
            Limits = new RpcLimits { MessageSize = 128 * KiB, BufferedBytes = 512 * KiB, TotalBufferedBytes = total },
        },
        services:
        [
            TestService.Echo,
            new TestService("test", handlers => handlers.HandleBytes("hold", async (_, _) =>
            {
                Interlocked.Increment(ref _started);
                await _finish.Task;
                Interlocked.Decrement(ref _started);
                return default;
            })),
        ]);
}
