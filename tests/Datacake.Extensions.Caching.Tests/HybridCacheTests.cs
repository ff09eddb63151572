using System.Buffers;
using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;
using Datacake.Testing;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;

namespace Datacake.Extensions.Caching.Tests;

/// <summary>The hybrid cache on one node.</summary>
public sealed class HybridCacheTests : IAsyncLifetime
{
    readonly CollectingLog _log = new();
    TestNode _node = null!;
    DatacakeHybridCache _cache = null!;
    int _made;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _node = await TestNode.StartAsync(options => options.WithLoggerFactory(_log).WithStore(static store => store.MaxDocumentLength = 64 * 1024), Canceled);
        _cache = new DatacakeHybridCache(_node.Node);
    }

    public async ValueTask DisposeAsync()
    {
        await _cache.DisposeAsync();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task Factory_runs_once_and_its_value_is_returned_from_then_on()
    {
        for (int i = 0; i < 3; i++)
            Assert.Equal("value 1", await GetAsync("k"));
        Assert.Equal("value 1", await _cache.GetOrCreateAsync("k".AsSpan(), Make, cancellationToken: Canceled));
        Assert.Equal(1, _made);
        Assert.Equal("value 2", await GetAsync("other"));
    }

    [Fact]
    public async Task Value_is_stored_in_the_keyspace_and_found_by_another_cache_of_the_node()
    {
        await GetAsync("k");
        await using var another = new DatacakeHybridCache(_node.Node);
        Assert.Equal("value 1", await another.GetOrCreateAsync("k", Make, cancellationToken: Canceled));
        Assert.Equal(1, _made);
    }

    [Fact]
    public async Task Another_cache_of_the_node_does_not_keep_a_value_that_was_set_by_the_first()
    {
        await using var another = new DatacakeHybridCache(_node.Node);
        await _cache.SetAsync("k", 0, cancellationToken: Canceled);
        for (int i = 1; i < 100; i++)
        {
            var reading = another.GetOrCreateAsync("k", static _ => ValueTask.FromResult(-1), cancellationToken: Canceled);
            await _cache.SetAsync("k", i, cancellationToken: Canceled);
            await reading;
            await Eventually.WaitUntilAsync(async () => await another.GetOrCreateAsync("k", static _ => ValueTask.FromResult(-1), cancellationToken: Canceled) == i, "the value is seen");
        }
    }

    [Fact]
    public async Task Set_value_is_returned_and_replaces_the_last_one()
    {
        await _cache.SetAsync("k", "a", cancellationToken: Canceled);
        Assert.Equal("a", await GetAsync("k"));
        await _cache.SetAsync("k", "b", cancellationToken: Canceled);
        Assert.Equal("b", await GetAsync("k"));
        Assert.Equal(0, _made);
    }

    [Fact]
    public async Task Removed_entries_are_made_again()
    {
        await GetAsync("a");
        await GetAsync("b");
        await GetAsync("c");
        await _cache.RemoveAsync("a", Canceled);
        Assert.Equal("value 4", await GetAsync("a"));
        await _cache.RemoveAsync(["b", "c", "b", "never"], Canceled);
        Assert.Equal("value 5", await GetAsync("b"));
        Assert.Equal("value 6", await GetAsync("c"));
        Assert.Equal("value 4", await GetAsync("a"));
        await _cache.RemoveAsync(Enumerable.Empty<string>(), Canceled);
    }

    [Fact]
    public async Task Invalidated_tag_removes_the_entries_that_have_it_and_no_others()
    {
        await GetAsync("a", "red");
        await GetAsync("b", "red", "blue");
        await GetAsync("c", "blue");
        await GetAsync("d");
        await _cache.RemoveByTagAsync("red", Canceled);
        Assert.Equal("value 5", await GetAsync("a", "red"));
        Assert.Equal("value 6", await GetAsync("b", "red", "blue"));
        Assert.Equal("value 3", await GetAsync("c", "blue"));
        Assert.Equal("value 4", await GetAsync("d"));
        await _cache.RemoveByTagAsync(["blue", "green", "blue"], Canceled);
        Assert.Equal("value 5", await GetAsync("a", "red"));
        Assert.Equal("value 7", await GetAsync("b", "red", "blue"));
        await _cache.RemoveByTagAsync("*", Canceled);
        Assert.Equal("value 8", await GetAsync("d"));
        Assert.Equal("value 8", await GetAsync("d"));
    }

    [Fact]
    public async Task Invalidated_tag_also_counts_for_a_cache_that_starts_later()
    {
        await GetAsync("a", "red");
        await _cache.RemoveByTagAsync("red", Canceled);
        await using var another = new DatacakeHybridCache(_node.Node);
        Assert.Equal("value 2", await another.GetOrCreateAsync("a", Make, tags: ["red"], cancellationToken: Canceled));
    }

    [Fact]
    public async Task Invalid_tags_are_refused()
    {
        foreach (string? tag in (string?[])["", " ", null])
        {
            await Assert.ThrowsAsync<ArgumentException>("tag", async () => await GetAsync("k", tag!));
            await Assert.ThrowsAsync<ArgumentException>("tag", async () => await _cache.SetAsync("k", 1, tags: [tag!], cancellationToken: Canceled));
            await Assert.ThrowsAsync<ArgumentException>("tag", async () => await _cache.RemoveByTagAsync([tag!], Canceled));
        }
        var e = await Assert.ThrowsAsync<ArgumentException>("tag", async () => await GetAsync("k", "*"));
        Assert.StartsWith("The tag '*' stands for all entries, and cannot be given to one. Use another tag.", e.Message, StringComparison.Ordinal);
        Assert.Equal(0, _made);
    }

    [Fact]
    public async Task Null_arguments_are_refused()
    {
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await GetAsync(null!));
        await Assert.ThrowsAsync<ArgumentNullException>("factory", async () => await _cache.GetOrCreateAsync<int, int>("k", 0, null!, cancellationToken: Canceled));
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await _cache.SetAsync(null!, 1, cancellationToken: Canceled));
        await Assert.ThrowsAsync<ArgumentNullException>("key", async () => await _cache.RemoveAsync((string)null!, Canceled));
        await Assert.ThrowsAsync<ArgumentNullException>("keys", async () => await _cache.RemoveAsync((IEnumerable<string>)null!, Canceled));
        await Assert.ThrowsAsync<ArgumentException>("keys", async () => await _cache.RemoveAsync(["a", null!], Canceled));
        await Assert.ThrowsAsync<ArgumentNullException>("tag", async () => await _cache.RemoveByTagAsync((string)null!, Canceled));
        await Assert.ThrowsAsync<ArgumentNullException>("tags", async () => await _cache.RemoveByTagAsync((IEnumerable<string>)null!, Canceled));
    }

    [Fact]
    public async Task Entries_expire_in_memory_and_in_the_keyspace()
    {
        var options = new HybridCacheEntryOptions { Expiration = TimeSpan.FromMinutes(10), LocalCacheExpiration = TimeSpan.FromMinutes(1) };
        Assert.Equal("value 1", await _cache.GetOrCreateAsync("k", Make, options, cancellationToken: Canceled));
        _node.Clock.Offset += TimeSpan.FromMinutes(2);
        Assert.Equal(1, _cache.LocalSize.Count);
        Assert.Equal("value 1", await _cache.GetOrCreateAsync("k", Make, options, cancellationToken: Canceled));
        _node.Clock.Offset += TimeSpan.FromMinutes(9);
        Assert.Equal("value 2", await _cache.GetOrCreateAsync("k", Make, options, cancellationToken: Canceled));
        Assert.Equal("value 3", await GetAsync("default"));
        _node.Clock.Offset += TimeSpan.FromMinutes(6);
        Assert.Equal("value 4", await GetAsync("default"));
    }

    [Fact]
    public async Task Expiration_is_shortened_to_the_maximum_and_an_invalidation_lives_longer()
    {
        await using var cache = new DatacakeHybridCache(_node.Node, static options => options.MaxExpiration = TimeSpan.FromDays(1));
        var forever = new HybridCacheEntryOptions { Expiration = TimeSpan.MaxValue };
        Assert.Equal("value 1", await cache.GetOrCreateAsync("k", Make, forever, ["t"], Canceled));
        await cache.RemoveByTagAsync("t", Canceled);
        Assert.Equal(1, cache.RememberedTags);
        _node.Clock.Offset += TimeSpan.FromHours(23);
        Assert.Equal(1, cache.RememberedTags);
        Assert.Equal("value 2", await cache.GetOrCreateAsync("k", Make, forever, ["t"], Canceled));
        _node.Clock.Offset += TimeSpan.FromHours(26);
        Assert.Equal("value 3", await cache.GetOrCreateAsync("k", Make, forever, ["t"], Canceled));
        await Eventually.WaitUntilAsync(() => cache.RememberedTags == 0, "the invalidation is forgotten");
    }

    [Fact]
    public async Task Entry_that_expires_at_once_is_not_kept()
    {
        foreach (var time in (TimeSpan[])[TimeSpan.Zero, TimeSpan.MinValue])
        {
            Assert.Equal(1, await _cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult(1), new HybridCacheEntryOptions { Expiration = time }, cancellationToken: Canceled));
            Assert.Equal(2, await _cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult(2), new HybridCacheEntryOptions { Expiration = time }, cancellationToken: Canceled));
            await _cache.SetAsync("local", 1, new HybridCacheEntryOptions { LocalCacheExpiration = time }, cancellationToken: Canceled);
            Assert.Equal(1, await _cache.GetOrCreateAsync("local", static _ => ValueTask.FromResult(2), cancellationToken: Canceled));
        }
    }

    [Fact]
    public async Task Node_that_has_not_joined_its_cluster_runs_factories_and_refuses_sets()
    {
        await using var alone = await DatacakeNode.StartAsync(
            static options => options.WithNodeId(2).ListenOn("127.0.0.1:0").WithSeeds("127.0.0.1:1").WithStore(static store => store.JoinTimeout = TimeSpan.FromMilliseconds(50)).UseMemory(), Canceled);
        await using var cache = new DatacakeHybridCache(alone);
        Assert.Equal("value 1", await cache.GetOrCreateAsync("k", Make, cancellationToken: Canceled));
        Assert.Equal("value 2", await cache.GetOrCreateAsync("k", Make, cancellationToken: Canceled));
        await Assert.ThrowsAsync<TimeoutException>(async () => await cache.SetAsync("k", 1, cancellationToken: Canceled));
        await Assert.ThrowsAsync<TimeoutException>(async () => await cache.RemoveByTagAsync("t", Canceled));
    }

    [Fact]
    public async Task Node_that_cannot_join_its_cluster_makes_only_the_first_callers_wait()
    {
        await using var alone = await DatacakeNode.StartAsync(
            options => options.WithNodeId(2).ListenOn("127.0.0.1:0").WithSeeds("127.0.0.1:1").WithLoggerFactory(_log).WithStore(static store => store.JoinTimeout = TimeSpan.FromSeconds(1)).UseMemory(),
            Canceled);
        await using var cache = new DatacakeHybridCache(alone);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => cache.GetOrCreateAsync($"k{i}", Make, cancellationToken: Canceled).AsTask()));
        // Neither of these waits for an attempt, which takes a second.
        for (int i = 0; i < 1000; i++)
            await cache.GetOrCreateAsync("k", Make, cancellationToken: Canceled);
        Assert.Equal(1020, _made);
        Assert.Equal(1, _log.Count("The store of the cache in keyspace hybrid-cache could not be opened"));
    }

    [Fact]
    public async Task Default_options_count_where_a_call_gives_none()
    {
        await using var cache = new DatacakeHybridCache(
            _node.Node,
            static options => options.DefaultEntryOptions = new HybridCacheEntryOptions { Expiration = TimeSpan.FromHours(1), Flags = HybridCacheEntryFlags.DisableLocalCache });
        Assert.Equal("value 1", await cache.GetOrCreateAsync("k", Make, cancellationToken: Canceled));
        Assert.Equal(0, cache.LocalSize.Count);
        _node.Clock.Offset += TimeSpan.FromMinutes(59);
        Assert.Equal("value 1", await cache.GetOrCreateAsync("k", Make, cancellationToken: Canceled));
        _node.Clock.Offset += TimeSpan.FromMinutes(2);
        Assert.Equal("value 2", await cache.GetOrCreateAsync("k", Make, cancellationToken: Canceled));
    }

    [Fact]
    public async Task Flags_leave_out_the_memory_the_keyspace_or_the_factory()
    {
        Assert.Null(await GetFlaggedAsync(HybridCacheEntryFlags.DisableUnderlyingData));
        Assert.Equal(0, await _cache.GetOrCreateAsync("number", static _ => ValueTask.FromResult(1), Flagged(HybridCacheEntryFlags.DisableUnderlyingData), cancellationToken: Canceled));
        Assert.Equal("value 1", await GetFlaggedAsync(HybridCacheEntryFlags.DisableLocalCacheWrite | HybridCacheEntryFlags.DisableDistributedCacheWrite));
        Assert.Equal("value 2", await GetFlaggedAsync(HybridCacheEntryFlags.DisableDistributedCacheWrite));
        Assert.Null(await GetFlaggedAsync(HybridCacheEntryFlags.DisableLocalCacheRead | HybridCacheEntryFlags.DisableUnderlyingData));
        Assert.Equal("value 2", await GetAsync("k"));
        Assert.Equal("value 3", await GetFlaggedAsync(HybridCacheEntryFlags.DisableLocalCacheRead | HybridCacheEntryFlags.DisableDistributedCacheRead));
        Assert.Equal("value 3", await GetFlaggedAsync(HybridCacheEntryFlags.DisableLocalCacheRead | HybridCacheEntryFlags.DisableUnderlyingData));
        await _cache.SetAsync("k", "set", Flagged(HybridCacheEntryFlags.DisableDistributedCacheWrite), cancellationToken: Canceled);
        Assert.Equal("set", await GetAsync("k"));
        Assert.Equal("value 3", await GetFlaggedAsync(HybridCacheEntryFlags.DisableLocalCacheRead));
        await _cache.SetAsync("k", "stored", Flagged(HybridCacheEntryFlags.DisableLocalCacheWrite), cancellationToken: Canceled);
        Assert.Equal("stored", await GetAsync("k"));

        ValueTask<string?> GetFlaggedAsync(HybridCacheEntryFlags flags) => _cache.GetOrCreateAsync("k", Make, Flagged(flags), cancellationToken: Canceled)!;

        static HybridCacheEntryOptions Flagged(HybridCacheEntryFlags flags) => new() { Flags = flags };
    }

    [Fact]
    public async Task Values_of_all_kinds_come_back_from_memory_and_from_the_keyspace()
    {
        await CheckAsync("text é");
        await CheckAsync("");
        await CheckAsync<string?>(null);
        await CheckAsync((byte[])[1, 2, 3]);
        await CheckAsync(42);
        await CheckAsync<int?>(null);
        await CheckAsync<int?>(7);
        await CheckAsync(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        await CheckAsync(Guid.NewGuid());
        await CheckAsync(new Uri("http://localhost/"));
        await CheckAsync<string[]>(["a", "b"]);
        await CheckAsync<Cake?>(null);

        async Task CheckAsync<T>(T value)
        {
            string key = Guid.NewGuid().ToString();
            for (int i = 0; i < 3; i++)
                Assert.Equal(value, await _cache.GetOrCreateAsync(key, _ => i == 0 ? ValueTask.FromResult(value) : throw new InvalidOperationException("made again"), cancellationToken: Canceled));
            await using var another = new DatacakeHybridCache(_node.Node);
            Assert.Equal(value, await another.GetOrCreateAsync<T>(key, static _ => throw new InvalidOperationException("made again"), cancellationToken: Canceled));
        }
    }

    [Fact]
    public async Task Mutable_value_is_not_shared_between_callers()
    {
        var first = await _cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult(new Cake { Name = "carrot" }), cancellationToken: Canceled);
        first.Name = "eaten";
        var second = await _cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult(new Cake()), cancellationToken: Canceled);
        Assert.Equal("carrot", second.Name);
        second.Name = "eaten";
        Assert.Equal("carrot", (await _cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult(new Cake()), cancellationToken: Canceled)).Name);
    }

    [Fact]
    public async Task Immutable_value_is_shared_between_callers()
    {
        var first = await _cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult(new FrozenCake("carrot")), cancellationToken: Canceled);
        Assert.Same(first, await _cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult(new FrozenCake("other")), cancellationToken: Canceled));
    }

    [Fact]
    public async Task Entry_that_is_read_as_another_type_is_read_again_or_made_again()
    {
        await _cache.SetAsync("k", 42, cancellationToken: Canceled);
        Assert.Equal(42L, await _cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult(1L), cancellationToken: Canceled));
        Assert.Equal("carrot", (await _cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult(new FrozenCake("carrot")), cancellationToken: Canceled)).Name);
        await _cache.SetAsync<string?>("null", null, cancellationToken: Canceled);
        Assert.Equal(7, await _cache.GetOrCreateAsync("null", static _ => ValueTask.FromResult(7), cancellationToken: Canceled));
    }

    [Fact]
    public async Task Entry_in_memory_of_another_type_is_made_again()
    {
        int[] numbers = [1, 2];
        await _cache.SetAsync("k", numbers, cancellationToken: Canceled);
        Assert.Equal("made", (await _cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult(new Cake { Name = "made" }), cancellationToken: Canceled)).Name);
        Assert.Equal("made", (await _cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult(new Cake { Name = "again" }), cancellationToken: Canceled)).Name);
    }

    [Fact]
    public async Task Json_options_count_for_reads()
    {
        await using var deep = new DatacakeHybridCache(_node.Node, static options => options.JsonSerializerOptions = new JsonSerializerOptions { MaxDepth = 200, AllowTrailingCommas = true });
        var nested = new Nested(null);
        for (int i = 0; i < 100; i++)
            nested = new Nested(nested);
        await deep.SetAsync("deep", nested, cancellationToken: Canceled);
        Assert.NotNull((await deep.GetOrCreateAsync<Nested>("deep", static _ => throw new InvalidOperationException("made again"), cancellationToken: Canceled)).Inner);
    }

    [Fact]
    public async Task Value_that_cannot_be_serialized_is_returned_to_its_caller_but_not_stored_and_a_set_of_it_is_refused()
    {
        for (int i = 0; i < 2; i++)
        {
            Assert.NotNull(await _cache.GetOrCreateAsync("k", _ =>
            {
                _made++;
                return ValueTask.FromResult<Action?>(static () => { });
            }, cancellationToken: Canceled));
        }
        Assert.Equal(2, _made);
        Assert.Equal(2, _log.Count("could not be stored; its value was returned to the caller."));
        await Assert.ThrowsAsync<NotSupportedException>(async () => await _cache.SetAsync<Action>("k", static () => { }, cancellationToken: Canceled));
    }

    [Fact]
    public async Task Serializers_of_the_application_are_used()
    {
        await using var cache = new DatacakeHybridCache(_node.Node, static options => options.SerializerFactories.Add(new ShoutingSerializers()));
        await cache.SetAsync("k", "quiet", new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableLocalCacheWrite }, cancellationToken: Canceled);
        Assert.Equal("QUIET", await cache.GetOrCreateAsync("k", Make, cancellationToken: Canceled));
        Assert.Equal(1, await cache.GetOrCreateAsync("number", static _ => ValueTask.FromResult(1), cancellationToken: Canceled));
    }

    [Fact]
    public async Task Value_that_is_too_large_is_returned_but_not_stored_and_a_set_of_it_is_refused()
    {
        byte[] large = new byte[100_000];
        var noMemory = new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableLocalCache };
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal(large.Length, (await _cache.GetOrCreateAsync("k", _ =>
            {
                _made++;
                return ValueTask.FromResult(large);
            }, noMemory, cancellationToken: Canceled)).Length);
        }
        Assert.Equal(2, _made);
        Assert.True(_log.Contains("A new entry of the cache in keyspace hybrid-cache could not be stored; its value was returned to the caller."));
        var e = await Assert.ThrowsAsync<ArgumentException>(async () => await _cache.SetAsync("k", large, cancellationToken: Canceled));
        Assert.StartsWith("The value of the cache entry 'k' has 100000 bytes, which is too large; nothing was stored. The store accepts documents of 65536 bytes:", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Memory_has_a_limit_and_drops_what_is_not_read()
    {
        await using var cache = new DatacakeHybridCache(_node.Node, static options => options.LocalSizeLimit = 100_000);
        for (int i = 0; i < 200; i++)
        {
            await cache.SetAsync($"k{i}", new byte[1000], cancellationToken: Canceled);
            await cache.GetOrCreateAsync("k0", static _ => ValueTask.FromResult<byte[]>([]), cancellationToken: Canceled);
            Assert.InRange(cache.LocalSize.Length, 1000, 100_000);
        }
        Assert.InRange(cache.LocalSize.Count, 50, 80);
        await using var none = new DatacakeHybridCache(_node.Node, static options => options.LocalSizeLimit = 0);
        Assert.Equal(1000, (await none.GetOrCreateAsync("k1", static _ => ValueTask.FromResult<byte[]>([]), cancellationToken: Canceled)).Length);
        Assert.Equal(0, none.LocalSize.Count);
    }

    [Fact]
    public async Task Both_caches_may_be_in_one_keyspace()
    {
        await using var cache = new DatacakeDistributedCache(_node.Node, static options => options.Keyspace = "hybrid-cache");
        cache.Set("k", [1], new DistributedCacheEntryOptions());
        Assert.Equal("value 1", await GetAsync("k"));
        await _cache.RemoveByTagAsync("*", Canceled);
        await _cache.RemoveAsync("k", Canceled);
        Assert.Equal([1], cache.Get("k"));
        cache.Remove("k");
        Assert.Equal("value 2", await GetAsync("k"));
        Assert.Equal("value 2", await GetAsync("k"));
    }

    [Fact]
    public async Task Damaged_entry_is_made_again()
    {
        await GetAsync("k");
        await _node.Store.Keyspace("hybrid-cache").PutAsync("h:k", "damaged"u8.ToArray(), Consistency.None, Canceled);
        await Eventually.WaitUntilAsync(() => _cache.LocalSize.Count == 0, "the entry has left the memory");
        Assert.Equal("value 2", await GetAsync("k"));
    }

    [Fact]
    public async Task Disposed_cache_refuses_calls()
    {
        await GetAsync("k");
        _cache.Dispose();
        Assert.Equal(0, _cache.LocalSize.Count);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await GetAsync("k"));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await _cache.RemoveAsync("k", Canceled));
    }

    ValueTask<string> GetAsync(string key, params string[] tags) => _cache.GetOrCreateAsync(key, Make, tags: tags, cancellationToken: Canceled);

    ValueTask<string> Make(CancellationToken cancellationToken) => ValueTask.FromResult($"value {Interlocked.Increment(ref _made)}");

    sealed record Cake
    {
        public string? Name { get; set; }
    }

    sealed class Nested(Nested? inner)
    {
        public Nested? Inner { get; } = inner;
    }

    [ImmutableObject(true)]
    sealed record FrozenCake(string Name);

    sealed class ShoutingSerializers : IHybridCacheSerializerFactory, IHybridCacheSerializer<string>
    {
        public bool TryCreateSerializer<T>([NotNullWhen(true)] out IHybridCacheSerializer<T>? serializer)
        {
            serializer = this as IHybridCacheSerializer<T>;
            return serializer is not null;
        }

        public string Deserialize(ReadOnlySequence<byte> source) => Encoding.UTF8.GetString(source);

        public void Serialize(string value, IBufferWriter<byte> target) => Encoding.UTF8.GetBytes(value.ToUpperInvariant(), target);
    }
}
