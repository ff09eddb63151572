using System.Text;
using Datacake.AspNetCore.SignalR;

namespace Datacake.AspNetCore.Tests.SignalR;

public class PeerQueueTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Messages_are_taken_together_in_their_order()
    {
        var queue = new PeerQueue(100_000, TimeSpan.FromHours(1), TimeProvider.System);
        var taken = queue.TakeAsync(Canceled);

        Assert.True(await queue.AddAsync("a"u8, Canceled));
        Assert.Equal("a", TextOf(await taken));
        Assert.True(await queue.AddAsync("b"u8, Canceled));
        Assert.True(await queue.AddAsync("c"u8, Canceled));
        Assert.Equal(2, queue.Bytes);

        Assert.Equal("bc", TextOf(await queue.TakeAsync(Canceled)));
        Assert.Equal(0, queue.Bytes);
    }

    [Fact]
    public async Task Message_longer_than_a_block_or_the_limit_has_its_own_block()
    {
        var queue = new PeerQueue(100_000, TimeSpan.FromHours(1), TimeProvider.System);

        Assert.True(await queue.AddAsync("a"u8, Canceled));
        Assert.True(await queue.AddAsync(new byte[200_000], Canceled));

        Assert.Equal("a", TextOf(await queue.TakeAsync(Canceled)));
        using var large = new Taken(await queue.TakeAsync(Canceled));
        Assert.Equal(200_000, large.Block.Length);
    }

    [Fact]
    public async Task Messages_that_wait_for_room_are_admitted_in_their_order()
    {
        var queue = new PeerQueue(1, TimeSpan.FromHours(1), TimeProvider.System);
        Assert.True(await queue.AddAsync("a"u8, Canceled));
        var b = queue.AddAsync("b"u8, Canceled).AsTask();
        var c = queue.AddAsync("c"u8, Canceled).AsTask();
        Assert.False(b.IsCompleted);

        Assert.Equal("a", TextOf(await queue.TakeAsync(Canceled)));
        Assert.True(await b);
        Assert.Equal("b", TextOf(await queue.TakeAsync(Canceled)));
        Assert.True(await c);
        Assert.Equal("c", TextOf(await queue.TakeAsync(Canceled)));
    }

    [Fact]
    public async Task After_a_timeout_messages_are_refused_at_once_until_there_is_room()
    {
        var queue = new PeerQueue(1, TimeSpan.FromMilliseconds(1), TimeProvider.System);
        Assert.True(await queue.AddAsync("a"u8, Canceled));

        Assert.False(await queue.AddAsync("b"u8, Canceled));
        var refused = queue.AddAsync("c"u8, Canceled);
        Assert.True(refused.IsCompleted);
        Assert.False(await refused);

        Assert.Equal("a", TextOf(await queue.TakeAsync(Canceled)));
        Assert.True(await queue.AddAsync("d"u8, Canceled));
        Assert.Equal("d", TextOf(await queue.TakeAsync(Canceled)));
    }

    [Fact]
    public async Task Canceled_sender_leaves_the_queue()
    {
        var queue = new PeerQueue(1, TimeSpan.FromHours(1), TimeProvider.System);
        using var cancellation = new CancellationTokenSource();
        Assert.True(await queue.AddAsync("a"u8, Canceled));
        var b = queue.AddAsync("b"u8, cancellation.Token).AsTask();
        var c = queue.AddAsync("c"u8, Canceled).AsTask();

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => b);
        Assert.Equal("a", TextOf(await queue.TakeAsync(Canceled)));
        Assert.True(await c);
        Assert.Equal("c", TextOf(await queue.TakeAsync(Canceled)));
    }

    [Fact]
    public async Task Closed_queue_counts_what_it_discards_and_refuses_more()
    {
        var queue = new PeerQueue(1, TimeSpan.FromHours(1), TimeProvider.System);
        Assert.True(await queue.AddAsync("a"u8, Canceled));
        var waiting = queue.AddAsync("b"u8, Canceled).AsTask();

        Assert.Equal(2, queue.Close());

        Assert.True(await waiting);             // counted by the queue
        Assert.False(await queue.AddAsync("c"u8, Canceled));
        Assert.Equal(0, queue.Bytes);
    }

    static string TextOf(PeerQueue.Block block)
    {
        string text = Encoding.UTF8.GetString(block.Bytes.Span);
        block.Release();
        return text;
    }

    readonly struct Taken(PeerQueue.Block block) : IDisposable
    {
        public PeerQueue.Block Block => block;

        public void Dispose() => block.Release();
    }
}
