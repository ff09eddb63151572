using Datacake.Node.Network;
using Datacake.Rpc;

namespace Datacake.Node.Tests;

public sealed class ChannelPoolTests
{
    [Fact]
    public async Task Of_ever_new_addresses_the_channels_that_were_asked_for_last_are_kept()
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
    public async Task A_disposed_pool_has_disposed_its_channels_and_makes_no_more()
    {
        var pool = new ChannelPool(new RpcChannelOptions());
        var channel = pool.To("127.0.0.1:1");

        await pool.DisposeAsync();

        Assert.Throws<ObjectDisposedException>(() => pool.To("127.0.0.1:1"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () =>
            await channel.CallAsync("service", "message", ReadOnlyMemory<byte>.Empty, default, TestContext.Current.CancellationToken));
    }
}
