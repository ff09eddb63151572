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
