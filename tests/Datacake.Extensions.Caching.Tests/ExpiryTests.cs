using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Diagnostics;
using Datacake.Extensions.Caching.Keyspaces;
using Datacake.Testing;
using Microsoft.Extensions.Caching.Distributed;

namespace Datacake.Extensions.Caching.Tests;

/// <summary>Absolute and sliding expiries, with a clock that the test sets.</summary>
public sealed class ExpiryTests : IAsyncLifetime
{
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
    public void Entry_without_expiry_stays()
    {
        _cache.Set("k", [1], new DistributedCacheEntryOptions());
        Pass(TimeSpan.FromDays(365));
        Assert.Equal([1], _cache.Get("k"));
    }

    [Fact]
    public void Entry_expires_at_its_absolute_expiry()
    {
        _cache.Set("k", [1], new DistributedCacheEntryOptions { AbsoluteExpiration = _node.Clock.GetUtcNow().AddMinutes(10).ToOffset(TimeSpan.FromHours(5)) });
        Pass(TimeSpan.FromMinutes(9));
        Assert.Equal([1], _cache.Get("k"));
        Pass(TimeSpan.FromMinutes(1));
        Assert.Null(_cache.Get("k"));
    }

    [Fact]
    public void Relative_expiry_counts_instead_of_an_absolute_one()
    {
        _cache.Set("k", [1], new DistributedCacheEntryOptions
        {
            AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(10),
            AbsoluteExpiration = _node.Clock.GetUtcNow().AddMinutes(1),
        });
        Pass(TimeSpan.FromMinutes(9));
        Assert.Equal([1], _cache.Get("k"));
        Pass(TimeSpan.FromMinutes(1));
        Assert.Null(_cache.Get("k"));
    }

    [Fact]
    public void Times_beyond_what_the_store_can_express_do_not_expire()
    {
        _cache.Set("relative", [1], new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.MaxValue });
        _cache.Set("absolute", [2], new DistributedCacheEntryOptions { AbsoluteExpiration = DateTimeOffset.MaxValue });
        _cache.Set("sliding", [3], new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.MaxValue });
        _cache.Set("bounded", [4], new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.MaxValue, AbsoluteExpirationRelativeToNow = TimeSpan.FromDays(1) });
        Pass(TimeSpan.FromDays(365));
        Assert.Equal([1], _cache.Get("relative"));
        Assert.Equal([2], _cache.Get("absolute"));
        Assert.Equal([3], _cache.Get("sliding"));
        Assert.Null(_cache.Get("bounded"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Entry_that_is_read_in_time_lives_on_and_expires_afterwards(bool isRefreshed)
    {
        _cache.Set("k", [1], new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(20) });
        for (int i = 0; i < 5; i++)
        {
            Pass(TimeSpan.FromMinutes(19));
            var before = await FindAsync("k");
            if (isRefreshed)
                await _cache.RefreshAsync("k", Canceled);
            // The renewal before may still be ending, so that one read need not begin another.
            await Eventually.WaitUntilAsync(
                async () =>
                {
                    Assert.True(isRefreshed || _cache.Get("k") is [1]);
                    return (await FindAsync("k"))?.Expires > before!.Expires;
                },
                "the entry is renewed");
        }
        // Never earlier than its time after the last read, and at most a quarter later.
        Pass(TimeSpan.FromMinutes(20));
        Assert.NotNull(await FindAsync("k"));
        Pass(TimeSpan.FromMinutes(5));
        Assert.Null(_cache.Get("k"));
    }

    [Fact]
    public async Task Read_writes_nothing_before_a_quarter_of_the_time_has_gone()
    {
        _cache.Set("k", [1], new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(20) });
        var set = await FindAsync("k");
        Pass(TimeSpan.FromMinutes(4.9));
        for (int i = 0; i < 100; i++)
            Assert.Equal([1], _cache.Get("k"));
        await _cache.RefreshAsync("k", Canceled);
        // A background renewal would have been awaited.
        await _cache.DisposeAsync();
        Assert.Equal(set, await FindAsync("k"));
    }

    [Fact]
    public async Task Sliding_expiry_does_not_outlive_the_absolute_one()
    {
        _cache.Set("k", [1], new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(20), AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(50) });
        for (int i = 0; i < 4; i++)
        {
            Pass(TimeSpan.FromMinutes(12));
            await _cache.RefreshAsync("k", Canceled);
            Assert.Equal([1], _cache.Get("k"));
        }
        var last = await FindAsync("k");
        await _cache.RefreshAsync("k", Canceled);
        Assert.Equal(last, await FindAsync("k"));
        Pass(TimeSpan.FromMinutes(2));
        Assert.Null(_cache.Get("k"));
    }

    [Fact]
    public void Default_expiry_counts_only_for_entries_without_their_own()
    {
        using var cache = new DatacakeDistributedCache(_node.Node, static options => options.DefaultExpiration = TimeSpan.FromMinutes(1));
        cache.Set("default", [1], new DistributedCacheEntryOptions());
        cache.Set("own", [2], new DistributedCacheEntryOptions { AbsoluteExpirationRelativeToNow = TimeSpan.FromMinutes(10) });
        cache.Set("sliding", [3], new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(10) });
        Pass(TimeSpan.FromMinutes(2));
        Assert.Null(cache.Get("default"));
        Assert.Equal([2], cache.Get("own"));
        Assert.Equal([3], cache.Get("sliding"));
    }

    [Fact]
    public async Task Default_sliding_expiry_is_renewed_by_reads()
    {
        await using var cache = new DatacakeDistributedCache(_node.Node, static options => options.DefaultSlidingExpiration = TimeSpan.FromMinutes(20));
        cache.Set("k", [1], new DistributedCacheEntryOptions());
        Pass(TimeSpan.FromMinutes(19));
        await cache.RefreshAsync("k", Canceled);
        Pass(TimeSpan.FromMinutes(19));
        Assert.Equal([1], cache.Get("k"));
        await cache.DisposeAsync();
        Pass(TimeSpan.FromMinutes(25));
        Assert.Null(await FindAsync("k"));
    }

    [Fact]
    public async Task Missed_renewals_are_logged_once_a_minute_with_their_number()
    {
        var log = new CollectingLog();
        await using var node = await TestNode.StartAsync(options => options.WithLoggerFactory(log), Canceled);
        await using var cache = new DatacakeDistributedCache(node.Node);
        using var metrics = new CacheMetrics("cache");
        var opened = new OpenedKeyspace(node.Node, node.Store, node.Store.Keyspace("cache"), log, metrics);
        for (int minute = 0; minute < 2; minute++)
        {
            for (int i = 0; i < 10; i++)
                cache.OnRenewalMissed(opened, CacheMetrics.Failed, new TimeoutException());
            node.Clock.Offset += TimeSpan.FromSeconds(61);
        }
        Assert.Equal(1, log.Count("1 sliding expiries of the cache in keyspace cache were not renewed since the last such message; the next reads will retry."));
        Assert.Equal(1, log.Count("10 sliding expiries of the cache in keyspace cache were not renewed"));
    }

    [Fact]
    public async Task Renewal_does_not_undo_a_set_that_overtakes_it()
    {
        var sliding = new DistributedCacheEntryOptions { SlidingExpiration = TimeSpan.FromMinutes(20) };
        for (byte i = 0; i < 50; i++)
        {
            _cache.Set("k", [i], sliding);
            Pass(TimeSpan.FromMinutes(10));
            Assert.Equal(i, Assert.Single(_cache.Get("k")!));         // renews in the background
            _cache.Set("k", [100], sliding);
            Assert.Equal([100], _cache.Get("k"));
        }
        await _cache.DisposeAsync();
        Assert.Equal(100, (await FindAsync("k"))!.Value!.Value.Span[^1]);
    }

    void Pass(TimeSpan time) => _node.Clock.Offset += time;

    /// <summary>Returns the document of an entry without reading the entry.</summary>
    ValueTask<Document?> FindAsync(string key) => _node.Store.Keyspace("cache").GetAsync($"d:{key}", Canceled);
}
