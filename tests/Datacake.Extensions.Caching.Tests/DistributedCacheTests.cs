using System.Buffers;
using System.Collections.Concurrent;
using Datacake.EventualConsistency;
using Datacake.Testing;
using Microsoft.Extensions.Caching.Distributed;

namespace Datacake.Extensions.Caching.Tests;

/// <summary>The contract of IDistributedCache and IBufferDistributedCache, on one node.</summary>
public sealed class DistributedCacheTests : IAsyncLifetime
{
    static readonly DistributedCacheEntryOptions Never = new();

    TestNode _node = null!;
    DatacakeDistributedCache _cache = null!;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _node = await TestNode.StartAsync(cancellationToken: Canceled);
        _cache = new DatacakeDistributedCache(_node.Node);
    }

    public async ValueTask DisposeAsync()
    {
        await _cache.DisposeAsync();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task Entry_that_is_set_is_returned_by_all_methods()
    {
        Assert.Null(await _cache.GetAsync("k", Canceled));
        Assert.Null(_cache.Get("k"));
        await _cache.SetAsync("k", [1, 2, 3], Never, Canceled);
        Assert.Equal([1, 2, 3], await _cache.GetAsync("k", Canceled));
        Assert.Equal([1, 2, 3], _cache.Get("k"));
        var buffer = new ArrayBufferWriter<byte>();
        Assert.True(_cache.TryGet("k", buffer));
        Assert.True(await _cache.TryGetAsync("k", buffer, Canceled));
        Assert.Equal([1, 2, 3, 1, 2, 3], buffer.WrittenSpan.ToArray());
        Assert.False(_cache.TryGet("other", buffer));
        Assert.False(await _cache.TryGetAsync("other", buffer, Canceled));
        Assert.Equal(6, buffer.WrittenCount);
    }

    [Fact]
    public async Task Entry_is_set_by_all_methods_and_the_last_set_counts()
    {
        _cache.Set("k", [1], Never);
        Assert.Equal([1], _cache.Get("k"));
        await _cache.SetAsync("k", [2], Never, Canceled);
        Assert.Equal([2], _cache.Get("k"));
        _cache.Set("k", Segmented([3, 4], [5]), Never);
        Assert.Equal([3, 4, 5], _cache.Get("k"));
        await _cache.SetAsync("k", Segmented([6], [7, 8]), Never, Canceled);
        Assert.Equal([6, 7, 8], _cache.Get("k"));
    }

    [Fact]
    public async Task Returned_value_is_a_copy()
    {
        byte[] value = [1];
        await _cache.SetAsync("k", value, Never, Canceled);
        value[0] = 2;
        byte[] first = _cache.Get("k")!;
        first[0] = 3;
        Assert.Equal([1], _cache.Get("k"));
    }

    [Fact]
    public async Task Empty_value_is_not_a_missing_one()
    {
        await _cache.SetAsync("k", [], Never, Canceled);
        Assert.True(await _cache.GetAsync("k", Canceled) is { Length: 0 });
        Assert.True(_cache.TryGet("k", new ArrayBufferWriter<byte>()));
        _cache.Set("k", ReadOnlySequence<byte>.Empty, Never);
        Assert.True(_cache.Get("k") is { Length: 0 });
    }

    [Fact]
    public async Task Removed_entry_is_gone_and_a_missing_one_may_be_removed()
    {
        await _cache.SetAsync("k", [1], Never, Canceled);
        await _cache.RemoveAsync("k", Canceled);
        Assert.Null(_cache.Get("k"));
        await _cache.RemoveAsync("k", Canceled);
        _cache.Set("k", [2], Never);
        Assert.Equal([2], _cache.Get("k"));
        _cache.Remove("k");
        Assert.Null(_cache.Get("k"));
        _cache.Remove("never");
    }

    [Fact]
    public async Task Missing_entry_may_be_refreshed_and_stays_missing()
    {
        await _cache.RefreshAsync("k", Canceled);
        _cache.Refresh("k");
        Assert.Null(_cache.Get("k"));
    }

    [Fact]
    public async Task Null_arguments_are_refused_by_all_methods()
    {
        byte[] value = [1];
        var buffer = new ArrayBufferWriter<byte>();
        Assert.Throws<ArgumentNullException>("key", () => _cache.Get(null!));
        Assert.Throws<ArgumentNullException>("key", () => _cache.Set(null!, value, Never));
        Assert.Throws<ArgumentNullException>("value", () => _cache.Set("k", null!, Never));
        Assert.Throws<ArgumentNullException>("options", () => _cache.Set("k", value, null!));
        Assert.Throws<ArgumentNullException>("key", () => _cache.Set(null!, new ReadOnlySequence<byte>(value), Never));
        Assert.Throws<ArgumentNullException>("options", () => _cache.Set("k", new ReadOnlySequence<byte>(value), null!));
        Assert.Throws<ArgumentNullException>("key", () => _cache.Refresh(null!));
        Assert.Throws<ArgumentNullException>("key", () => _cache.Remove(null!));
        Assert.Throws<ArgumentNullException>("key", () => _cache.TryGet(null!, buffer));
        Assert.Throws<ArgumentNullException>("destination", () => _cache.TryGet("k", null!));
        await Assert.ThrowsAsync<ArgumentNullException>("key", () => _cache.GetAsync(null!, Canceled));
        await Assert.ThrowsAsync<ArgumentNullException>("key", () => _cache.SetAsync(null!, value, Never, Canceled));
        await Assert.ThrowsAsync<ArgumentNullException>("value", () => _cache.SetAsync("k", null!, Never, Canceled));
        await Assert.ThrowsAsync<ArgumentNullException>("options", () => _cache.SetAsync("k", value, null!, Canceled));
        await Assert.ThrowsAsync<ArgumentNullException>("key", () => _cache.RefreshAsync(null!, Canceled));
        await Assert.ThrowsAsync<ArgumentNullException>("key", () => _cache.RemoveAsync(null!, Canceled));
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await _cache.TryGetAsync(null!, buffer, Canceled));
        await Assert.ThrowsAsync<ArgumentNullException>("destination", async () => await _cache.TryGetAsync("k", null!, Canceled));
    }

    [Fact]
    public void Entries_of_all_kinds_of_keys_are_kept_apart()
    {
        string longKey = new('x', 1000);
        string[] keys = ["", " ", "k", "K", "#k", "k\0", "\0", "\ud800", "\ud801", "ключ", longKey, longKey + "y", new string('\0', 150), new string('é', 100), new string('é', 101)];
        foreach (var (i, key) in keys.Index())
            _cache.Set(key, [(byte)i], Never);
        foreach (var (i, key) in keys.Index())
            Assert.Equal((byte)i, Assert.Single(_cache.Get(key)!));
    }

    [Fact]
    public async Task Expiry_in_the_past_is_refused_and_nothing_is_set()
    {
        await _cache.SetAsync("k", [1], Never, Canceled);
        var past = new DistributedCacheEntryOptions { AbsoluteExpiration = _node.Clock.GetUtcNow() };
        var e = Assert.Throws<ArgumentOutOfRangeException>("options", () => _cache.Set("k", [2], past));
        Assert.Contains("is not in the future. Set a later one, or remove the entry.", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>("options", () => _cache.SetAsync("k", [2], past, Canceled));
        Assert.Equal([1], _cache.Get("k"));
    }

    [Fact]
    public async Task Value_that_the_store_refuses_gets_an_error_that_names_it_and_the_old_one_stays()
    {
        await using var node = await TestNode.StartAsync(static options => options.WithStore(static store => store.MaxDocumentLength = 1024), Canceled);
        await using var cache = new DatacakeDistributedCache(node.Node);
        await cache.SetAsync("k", [1], Never, Canceled);
        var e = await Assert.ThrowsAsync<ArgumentException>(() => cache.SetAsync("k", new byte[2000], Never, Canceled));
        Assert.Equal(
            "The value of the cache entry 'k' has 2000 bytes, which is too large; nothing was stored. The store accepts documents of 1024 bytes: store less, or raise MaxDocumentLength on all nodes.",
            e.Message);
        Assert.Equal([1], cache.Get("k"));
    }

    [Fact]
    public void Value_that_exceeds_the_limit_of_the_whole_cache_is_refused()
    {
        using var cache = new DatacakeDistributedCache(_node.Node, static options => options.SizeLimit = 2000);
        cache.Set("k", [1], Never);
        var e = Assert.Throws<ArgumentException>(() => cache.Set("k", new byte[1999], Never));
        Assert.Contains("The limit of the whole cache is 2000 bytes", e.Message, StringComparison.Ordinal);
        Assert.Equal([1], cache.Get("k"));
    }

    [Fact]
    public async Task Canceled_call_does_nothing()
    {
        var canceled = new CancellationToken(canceled: true);
        await _cache.SetAsync("k", [1], Never, Canceled);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _cache.GetAsync("k", canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _cache.SetAsync("k", [2], Never, canceled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _cache.RemoveAsync("k", canceled));
        Assert.Equal([1], _cache.Get("k"));
    }

    [Fact]
    public async Task Synchronous_methods_do_not_deadlock_on_a_thread_that_runs_its_own_continuations()
    {
        var done = new TaskCompletionSource<byte[]?>();
        var thread = new Thread(() =>
        {
            // Posted work is never run.
            SynchronizationContext.SetSynchronizationContext(new BlockedContext());
            using var cache = new DatacakeDistributedCache(_node.Node);
            cache.Set("k", [1], Never);
            cache.Refresh("k");
            cache.Set("other", [1], Never);
            cache.Remove("other");
            done.SetResult(cache.Get("k"));
        });
        thread.Start();
        Assert.Equal([1], await done.Task.WaitAsync(Eventually.Deadline, Canceled));
        thread.Join();
    }

    [Fact]
    public async Task Disposed_cache_refuses_calls_and_leaves_the_entries()
    {
        await _cache.SetAsync("k", [1], Never, Canceled);
        await _cache.DisposeAsync();
        await _cache.DisposeAsync();
        var e = Assert.Throws<ObjectDisposedException>(() => _cache.Get("k"));
        Assert.Contains("The cache in keyspace 'cache' is disposed.", e.Message, StringComparison.Ordinal);
        using var another = new DatacakeDistributedCache(_node.Node);
        Assert.Equal([1], another.Get("k"));
    }

    [Fact]
    public async Task Document_that_is_no_entry_is_a_missing_entry()
    {
        await _cache.SetAsync("k", [1], Never, Canceled);
        var key = await _node.Store.Keyspace("cache").ReadAllAsync(Canceled).Select(static document => document.Key).SingleAsync(Canceled);
        foreach (byte[] other in (byte[][])[[], [1], [2, 0, 1], [1, 4, 1]])
        {
            await _node.Store.Keyspace("cache").PutAsync(key, other, Consistency.None, Canceled);
            Assert.Null(_cache.Get("k"));
        }
    }

    static ReadOnlySequence<byte> Segmented(byte[] first, byte[] second)
    {
        var start = new Segment(first);
        var end = start.Append(second);
        return new ReadOnlySequence<byte>(start, 0, end, second.Length);
    }

    sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes) => Memory = bytes;

        public Segment Append(byte[] bytes)
        {
            var next = new Segment(bytes) { RunningIndex = Memory.Length };
            Next = next;
            return next;
        }
    }

    sealed class BlockedContext : SynchronizationContext
    {
        public ConcurrentQueue<SendOrPostCallback> Posted { get; } = [];

        public override void Post(SendOrPostCallback d, object? state) => Posted.Enqueue(d);
    }
}
