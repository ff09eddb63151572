using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Flights;
using Datacake.Extensions.Caching.Records;
using Datacake.Testing;
using Microsoft.Extensions.Caching.Hybrid;

namespace Datacake.Extensions.Caching.Tests;

/// <summary>Many callers that ask for the same missing entry, and what happens to it while its factory runs.</summary>
public sealed class StampedeTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_factory_runs_on_a_node_for_all_callers_which_get_values_of_their_own()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var cache = new DatacakeHybridCache(node.Node);
        var gate = new TaskCompletionSource();
        int made = 0;
        var callers = Enumerable.Range(0, 100).Select(_ => Task.Run(async () => await cache.GetOrCreateAsync("k", MakeAsync, cancellationToken: Canceled))).ToArray();
        await Eventually.WaitUntilAsync(() => Volatile.Read(ref made) == 1, "a factory runs");
        gate.SetResult();
        var values = await Task.WhenAll(callers);
        Assert.All(values, static value => Assert.Equal([1], value));
        Assert.Equal(100, values.Distinct(ReferenceEqualityComparer.Instance).Count());
        Assert.Equal(1, made);

        async ValueTask<List<int>> MakeAsync(CancellationToken cancellationToken)
        {
            int number = Interlocked.Increment(ref made);
            await gate.Task.WaitAsync(cancellationToken);
            return [number];
        }
    }

    [Fact]
    public async Task Factory_that_fails_fails_its_callers_and_the_next_caller_runs_its_own()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var cache = new DatacakeHybridCache(node.Node);
        var factory = new HeldFactory();
        var first = cache.GetOrCreateAsync("k", factory.RunAsync, cancellationToken: Canceled).AsTask();
        await factory.Running;
        var second = cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult("never"), cancellationToken: Canceled).AsTask();
        factory.Fail(new FormatException("broken"));
        Assert.Equal("broken", (await Assert.ThrowsAsync<FormatException>(() => first)).Message);
        await Assert.ThrowsAsync<FormatException>(() => second);
        Assert.Equal("next", await cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult("next"), cancellationToken: Canceled));
    }

    [Fact]
    public async Task Factory_runs_on_when_one_of_its_callers_leaves_and_is_canceled_when_all_have_left()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var cache = new DatacakeHybridCache(node.Node);
        using var firstLeaves = new CancellationTokenSource();
        using var secondLeaves = new CancellationTokenSource();
        var factory = new HeldFactory();
        var first = cache.GetOrCreateAsync("k", factory.RunAsync, cancellationToken: firstLeaves.Token).AsTask();
        await factory.Running;
        var second = cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult("never"), cancellationToken: secondLeaves.Token).AsTask();
        await firstLeaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.False(factory.Token.IsCancellationRequested);
        await secondLeaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Eventually.WaitUntilAsync(() => factory.Token.IsCancellationRequested, "the factory is canceled");
        Assert.Equal("next", await cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult("next"), cancellationToken: Canceled));
    }

    [Theory]
    [InlineData("remove")]
    [InlineData("tag")]
    [InlineData("all")]
    [InlineData("set")]
    public async Task Value_of_a_factory_that_an_invalidation_overtakes_is_not_stored(string change)
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var cache = new DatacakeHybridCache(node.Node);
        var factory = new HeldFactory();
        var old = cache.GetOrCreateAsync("k", factory.RunAsync, tags: ["t"], cancellationToken: Canceled).AsTask();
        await factory.Running;
        await (change switch
        {
            "remove" => cache.RemoveAsync("k", Canceled),
            "tag" => cache.RemoveByTagAsync("t", Canceled),
            "all" => cache.RemoveByTagAsync("*", Canceled),
            _ => cache.SetAsync("k", "new", cancellationToken: Canceled),
        });
        // A caller that comes after the invalidation does not get the old value.
        Assert.Equal("new", await cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult("new"), tags: ["t"], cancellationToken: Canceled));
        factory.Complete("old");
        Assert.Equal("old", await old);
        Assert.Equal("new", await cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult("other"), tags: ["t"], cancellationToken: Canceled));
        await using var another = new DatacakeHybridCache(node.Node);
        Assert.Equal("new", await another.GetOrCreateAsync("k", static _ => ValueTask.FromResult("other"), tags: ["t"], cancellationToken: Canceled));
    }

    [Theory]
    [InlineData("remove")]
    [InlineData("tag")]
    public async Task Value_of_a_factory_that_an_invalidation_of_another_node_overtakes_is_not_stored(string change)
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var first = new DatacakeHybridCache(cluster[0].Node);
        await using var second = new DatacakeHybridCache(cluster[1].Node);
        var factory = new HeldFactory();
        var old = first.GetOrCreateAsync("k", factory.RunAsync, tags: ["t"], cancellationToken: Canceled).AsTask();
        await factory.Running;
        await (change == "remove" ? second.RemoveAsync("k", Canceled) : second.RemoveByTagAsync("t", Canceled));
        // The keyspace is empty until then, so that the nodes would look the same at once.
        await Eventually.WaitUntilAsync(async () => await cluster[0].Store.Keyspace("hybrid-cache").ReadAllAsync(Canceled).AnyAsync(Canceled), "the invalidation has arrived");
        if (change == "tag")
            await Eventually.WaitUntilAsync(() => first.RememberedTags == 1, "the cache has seen it");
        factory.Complete("old");
        Assert.Equal("old", await old);
        foreach (var cache in (DatacakeHybridCache[])[first, second])
            Assert.NotEqual("old", await cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult("new"), tags: ["t"], cancellationToken: Canceled));
    }

    [Theory]
    [InlineData("remove")]
    [InlineData("tag")]
    [InlineData("all")]
    public async Task Invalidation_that_is_earlier_than_the_last_stamp_of_the_factorys_node_overtakes_the_factory(string change)
    {
        await using var cluster = await TestCluster.StartAsync(2, cancellationToken: Canceled);
        await using var first = new DatacakeHybridCache(cluster[0].Node);
        await using var second = new DatacakeHybridCache(cluster[1].Node);
        await first.SetAsync("warm", 1, cancellationToken: Canceled);
        await cluster.WaitUntilSameAsync(cancellationToken: Canceled);
        cluster.Cut(1);
        cluster[1].Clock.Offset += TimeSpan.FromSeconds(2);
        await second.SetAsync("busy", 1, cancellationToken: Canceled);
        var factory = new HeldFactory();
        var old = second.GetOrCreateAsync("k", factory.RunAsync, tags: ["t"], cancellationToken: Canceled).AsTask();
        await factory.Running;
        await (change switch
        {
            "remove" => first.RemoveAsync("k", Canceled),
            "tag" => first.RemoveByTagAsync("t", Canceled),
            _ => first.RemoveByTagAsync("*", Canceled),
        });
        cluster.Heal();
        await cluster.WaitUntilConnectedAsync(cancellationToken: Canceled);
        await cluster.WaitUntilSameAsync(cancellationToken: Canceled);
        DocumentKey mark = change switch { "remove" => "h:k", "tag" => "!:t", _ => "!:*" };
        await Eventually.WaitUntilAsync(async () => await cluster[1].Store.Keyspace("hybrid-cache").GetAsync(mark, Canceled) is not null, "the invalidation has arrived");
        factory.Complete("old");
        Assert.Equal("old", await old);
        foreach (var cache in (DatacakeHybridCache[])[second, first])
        {
            await Eventually.WaitUntilAsync(
                async () => await cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult("new"), tags: ["t"], cancellationToken: Canceled) == "new", "the stale value is not kept");
        }
    }

    [Fact]
    public async Task Removal_that_is_on_its_way_while_a_factory_ends_removes_the_value_on_all_nodes()
    {
        await using var cluster = await TestCluster.StartAsync(3, cancellationToken: Canceled);
        await using var first = new DatacakeHybridCache(cluster[0].Node);
        await using var second = new DatacakeHybridCache(cluster[1].Node);
        await first.SetAsync("warm", 1, cancellationToken: Canceled);
        await second.SetAsync("warm", 2, cancellationToken: Canceled);
        await cluster.WaitUntilSameAsync(cancellationToken: Canceled);
        var factory = new HeldFactory();
        var old = second.GetOrCreateAsync("k", factory.RunAsync, cancellationToken: Canceled).AsTask();
        await factory.Running;
        cluster.Cut(1);
        await first.RemoveAsync("k", Canceled);
        // The value is stored after the removal, whatever the clocks say.
        cluster[1].Clock.Offset += TimeSpan.FromSeconds(1);
        factory.Complete("old");
        Assert.Equal("old", await old);
        // A value that is set on purpose wins against the removal.
        await first.RemoveAsync("set", Canceled);
        await second.SetAsync("set", "set", cancellationToken: Canceled);
        cluster.Heal();
        foreach (var cache in (DatacakeHybridCache[])[first, second])
        {
            await Eventually.WaitUntilAsync(async () => await FindAsync(cache, "set") == "set", "the set has arrived");
            await Eventually.WaitUntilAsync(async () => await FindAsync(cache, "k") is null, "the stale value is removed");
        }
    }

    [Fact]
    public async Task Factory_that_runs_longer_than_the_mark_of_a_removal_is_kept_does_not_store_its_value()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var cache = new DatacakeHybridCache(node.Node);
        var factory = new HeldFactory();
        var old = cache.GetOrCreateAsync("k", factory.RunAsync, cancellationToken: Canceled).AsTask();
        await factory.Running;
        await cache.RemoveAsync("k", Canceled);
        node.Clock.Offset += TimeSpan.FromMinutes(11);
        await Eventually.WaitUntilAsync(async () => await node.Store.Keyspace("hybrid-cache").GetAsync("h:k", Canceled) is null, "the mark has expired");
        factory.Complete("old");
        await old;
        Assert.Null(await FindAsync(cache, "k"));
    }

    [Fact]
    public async Task Entry_set_only_in_memory_is_not_undone_by_a_factory_that_began_before()
    {
        var onlyMemory = new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableDistributedCache };
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        await using var cache = new DatacakeHybridCache(node.Node);
        foreach (var options in (HybridCacheEntryOptions?[])[onlyMemory, null])
        {
            var factory = new HeldFactory();
            string key = Guid.NewGuid().ToString();
            var old = cache.GetOrCreateAsync(key, factory.RunAsync, options, cancellationToken: Canceled).AsTask();
            await factory.Running;
            await cache.SetAsync(key, "new", onlyMemory, cancellationToken: Canceled);
            factory.Complete("old");
            Assert.Equal("old", await old);
            Assert.Equal("new", await cache.GetOrCreateAsync(key, static _ => ValueTask.FromResult("other"), cancellationToken: Canceled));
        }
    }

    [Fact]
    public async Task One_factory_runs_in_the_cluster_if_that_is_wanted()
    {
        await using var cluster = await StartVotingAsync();
        await using var first = OneFactory(cluster, 0);
        await using var second = OneFactory(cluster, 1);
        await using var third = OneFactory(cluster, 2);
        DatacakeHybridCache[] caches = [first, second, third];
        for (int round = 0; round < 5; round++)
        {
            int made = 0;
            var values = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Task.Run(async () => await caches[i % 3].GetOrCreateAsync($"k{round}", async cancellationToken =>
            {
                int number = Interlocked.Increment(ref made);
                await Task.Delay(20, cancellationToken);
                return $"value {number}";
            }, cancellationToken: Canceled))));
            Assert.All(values, static value => Assert.Equal("value 1", value));
            Assert.Equal(1, made);
        }
    }

    [Fact]
    public async Task Factory_that_asks_for_another_entry_does_not_wait_for_itself()
    {
        await using var cluster = await StartVotingAsync();
        await using var first = OneFactory(cluster, 0);
        // More keys than leases, so that some have the same one.
        var values = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => first.GetOrCreateAsync($"outer{i}", async cancellationToken =>
            await first.GetOrCreateAsync($"inner{i}", _ => ValueTask.FromResult(i), cancellationToken: cancellationToken) + 1, cancellationToken: Canceled).AsTask()));
        Assert.Equal(Enumerable.Range(1, 300), values);
    }

    [Fact]
    public async Task Factory_that_asks_for_an_entry_does_not_wait_for_a_caller_that_waits_for_its_lease()
    {
        await using var cluster = await StartVotingAsync();
        await using var cache = OneFactory(cluster, 0);
        string inner = Enumerable.Range(0, 100_000).Select(static i => $"inner{i}").First(static key => SlotOf(key) == SlotOf("outer"));
        var running = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var outer = cache.GetOrCreateAsync("outer", async cancellationToken =>
        {
            running.SetResult();
            await gate.Task;
            return await cache.GetOrCreateAsync(inner, static _ => ValueTask.FromResult(1), cancellationToken: cancellationToken) + 1;
        }, cancellationToken: Canceled).AsTask();
        await running.Task;
        // This one waits for the lease of the factory.
        var independent = cache.GetOrCreateAsync(inner, static _ => ValueTask.FromResult(1), cancellationToken: Canceled).AsTask();
        gate.SetResult();
        Assert.Equal(2, await outer.WaitAsync(TimeSpan.FromSeconds(60), Canceled));
        Assert.Equal(1, await independent.WaitAsync(TimeSpan.FromSeconds(60), Canceled));

        static uint SlotOf(string key)
        {
            uint hash = 2_166_136_261;
            foreach (byte part in CacheKeys.OfHybrid(key).Encoded.Span)
                hash = (hash ^ part) * 16_777_619;
            return hash % 256;
        }
    }

    [Fact]
    public void Work_that_a_factory_leaves_behind_is_not_in_it()
    {
        var leases = new FactoryLeases(new DatacakeHybridCacheOptions());
        Assert.False(leases.IsInFactory);
        ExecutionContext context;
        using (leases.EnterFactory())
        {
            Assert.True(leases.IsInFactory);
            context = ExecutionContext.Capture()!;
        }
        ExecutionContext.Run(context, _ => Assert.False(leases.IsInFactory), null);
    }

    [Fact]
    public async Task Factory_that_ends_after_its_cache_is_disposed_stores_nothing()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Canceled);
        var cache = new DatacakeHybridCache(node.Node);
        var factory = new HeldFactory();
        var made = cache.GetOrCreateAsync("k", factory.RunAsync, cancellationToken: Canceled).AsTask();
        await factory.Running;
        await Task.WhenAll(cache.DisposeAsync().AsTask(), cache.DisposeAsync().AsTask());
        factory.Complete("late");
        Assert.Equal("late", await made);
        Assert.Null(await node.Store.Keyspace("hybrid-cache").GetAsync("h:k", Canceled));
    }

    [Fact]
    public async Task Factory_runs_without_a_lease_if_there_is_no_majority()
    {
        var log = new CollectingLog();
        await using var cluster = await StartVotingAsync(log);
        await using var first = OneFactory(cluster, 0);
        await cluster.StopAsync(1);
        await cluster.StopAsync(2);
        await Eventually.WaitUntilAsync(() => cluster[0].Store.Members.Count(static member => member.IsUp) == 1, "the others are down");
        Assert.Equal("value", await first.GetOrCreateAsync("k", static _ => ValueTask.FromResult("value"), cancellationToken: Canceled));
        Assert.Equal("value", await first.GetOrCreateAsync("k", static _ => ValueTask.FromResult("other"), cancellationToken: Canceled));
        // The next ones do not try, and do not wait, again.
        for (int i = 0; i < 10; i++)
            Assert.Equal(i, await first.GetOrCreateAsync($"k{i}", _ => ValueTask.FromResult(i), cancellationToken: Canceled));
        Assert.Equal(1, log.Count("The lease for a factory of the cache in keyspace hybrid-cache could not be acquired"));
    }

    static async Task<string?> FindAsync(DatacakeHybridCache cache, string key) =>
        await cache.GetOrCreateAsync<string?>(
            key, static _ => ValueTask.FromResult<string?>(null), new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableUnderlyingData }, cancellationToken: Canceled);

    static DatacakeHybridCache OneFactory(TestCluster cluster, int node) => new(cluster[node].Node, static options => options.OneFactoryInCluster = true);

    static async Task<TestCluster> StartVotingAsync(CollectingLog? log = null)
    {
        var cluster = await TestCluster.StartAsync(3, (_, options) => options.WithLoggerFactory(log ?? new CollectingLog()), Canceled);
        await Eventually.WaitUntilAsync(
            () => Enumerable.Range(0, 3).All(node => cluster[node].Store.SerialStatus is { Sequencer: not null, VoterCount: 3 }), "all nodes vote, and there is a sequencer");
        return cluster;
    }

    /// <summary>A factory that runs until the test lets it end.</summary>
    sealed class HeldFactory
    {
        readonly TaskCompletionSource _running = new(TaskCreationOptions.RunContinuationsAsynchronously);
        readonly TaskCompletionSource<string> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Running => _running.Task;

        public CancellationToken Token { get; private set; }

        public async ValueTask<string> RunAsync(CancellationToken cancellationToken)
        {
            Token = cancellationToken;
            _running.SetResult();
            return await _result.Task.WaitAsync(cancellationToken);
        }

        public void Complete(string value) => _result.SetResult(value);

        public void Fail(Exception e) => _result.SetException(e);
    }
}
