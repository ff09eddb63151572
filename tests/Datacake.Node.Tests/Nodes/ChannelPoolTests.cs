using Datacake.Node.Network;
using Datacake.Rpc;

namespace Datacake.Node.Tests;

public sealed class ChannelPoolTests
{
    [Fact]
    public async Task Pool_keeps_the_most_recently_used_channels()
    {
        await using var pool = new ChannelPool(new RpcChannelOptions());
        var first = pool.To(Address(0));
        var second = pool.To(Address(1));
        for (int i = 2; i < ChannelPool.Capacity; i++)
            pool.To(Address(i));
        Assert.Same(first, pool.To(Address(0)));

        pool.To(Address(ChannelPool.Capacity));

        Assert.Same(first, pool.To(Address(0)));
        Assert.NotSame(second, pool.To(Address(1)));

        static string Address(int i) => $"127.0.0.1:{1 + i}";
    }

    [Fact]
    public async Task Disposed_pool_disposes_its_channels_and_creates_no_more()
    {
        var pool = new ChannelPool(new RpcChannelOptions());
        var channel = pool.To("127.0.0.1:1");

        await pool.DisposeAsync();

        Assert.Throws<ObjectDisposedException>(() => pool.To("127.0.0.1:1"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () =>
            await channel.CallAsync("service", "message", ReadOnlyMemory<byte>.Empty, default, TestContext.Current.CancellationToken));
    }
}
