using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Datacake.Crdt;
using Datacake.Rpc;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Tests;

/// <summary>Real nodes over TCP on loopback, with the gossip settings for one machine.</summary>
public sealed class DatacakeNodeTests : IAsyncLifetime
{
    static TimeSpan Soon => Eventually.Deadline;

    readonly List<DatacakeNode> _nodes = [];
    readonly ReservedAddresses _addresses = new();
    readonly CollectingLog _log = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.StopAbruptlyAsync().AsTask()));
        _addresses.Dispose();
    }

    [Fact]
    public async Task Three_nodes_find_each_other()
    {
        var first = await StartAsync(1, options => options.InDataCenter("eu-west").WithLabel("role", "till"));
        var second = await StartAsync(2, options => options.WithSeeds(first.Address).InDataCenter("eu-east"));
        var third = await StartAsync(3, options => options.WithSeeds(first.Address));
        foreach (var node in _nodes)
        {
            await node.WaitForNodesAsync([1, 2, 3], Soon, Stop);
            Assert.Equal([first.Address, second.Address, third.Address], node.Members.Select(member => member.Address));
            Assert.Equal(["eu-west", "eu-east", "default"], node.Members.Select(member => member.DataCenter));
            Assert.Equal(_nodes.Select(other => other.Generation), node.Members.Select(member => member.Generation));
            Assert.Equal("till", node.Members[0].Labels["role"]);
        }
    }

    [Fact]
    public async Task Added_log_provider_belongs_to_its_node_alone()
    {
        var first = await StartAsync(1, _ => { });
        var second = await StartAsync(2, options => options.WithSeeds(first.Address));
        var logger = first.LoggerFactory.CreateLogger("early");
        using var added = new OneLogger(new CollectingLog(), LogLevel.Warning);
        first.LoggerFactory.AddProvider(added);

        Write(logger, LogLevel.Information, "one");
        Write(logger, LogLevel.Warning, "two");
        Write(first.LoggerFactory.CreateLogger("late"), LogLevel.Warning, "three");
        Write(second.LoggerFactory.CreateLogger("other"), LogLevel.Warning, "four");

        Assert.Equal(["two", "three"], added.Log.Messages);
        Assert.All(["one", "two", "three", "four"], text => Assert.True(_log.Contains(text)));

        static void Write(ILogger logger, LogLevel level, string text) => logger.Log(level, default, text, null, static (state, _) => state);
    }

    [Fact]
    public async Task Killed_node_is_down_to_the_others_and_its_next_run_replaces_it()
    {
        var (first, second, third) = await StartThreeAsync(options => options.WithGossip(gossip => gossip.UseLocal()));
        await third.StopAbruptlyAsync();
        await first.UntilAsync(members => members.Single(member => member.NodeId == 3).State == MemberState.Down);
        await second.UntilAsync(members => members.Single(member => member.NodeId == 3).State == MemberState.Down);

        var restarted = await StartAsync(3, options => options.WithSeeds(first.Address).WithGossip(gossip => gossip.UseLocal()));
        foreach (var node in (DatacakeNode[])[first, second, restarted])
            await node.UntilAsync(
                members => members.Count == 3 && members.All(member => member.IsUp) && members[2].Generation == restarted.Generation);
        Assert.True(restarted.Generation > third.Generation);
        Assert.Equal(restarted.Address, first.Members[2].Address);
    }

    [Fact]
    public async Task Node_that_leaves_is_shown_as_left_and_never_as_down()
    {
        var (first, second, third) = await StartThreeAsync();
        await using var changes = first.WatchMembersAsync(Stop).GetAsyncEnumerator(Stop);
        for (var member = 1; member <= 3; member++)
        {
            Assert.True(await changes.MoveNextAsync());
            Assert.Equal((MembershipChangeKind.Joined, (byte)member), (changes.Current.Kind, changes.Current.Member.NodeId));
        }
        await third.DisposeAsync();
        Assert.True(await changes.MoveNextAsync());
        Assert.Equal((MembershipChangeKind.Left, (byte)3), (changes.Current.Kind, changes.Current.Member.NodeId));
        await second.UntilAsync(members => members[2].State == MemberState.Left);
    }

    [Fact]
    public async Task Node_that_leaves_before_it_knows_the_live_nodes_is_shown_as_left()
    {
        var first = await StartAsync(1, options => { });
        var second = await StartAsync(2, options => options.WithSeeds(first.Address));
        await second.DisposeAsync();
        await first.UntilAsync(members => members is [_, { State: MemberState.Left }]);
    }

    [Fact]
    public async Task A_node_starts_alone_and_joins_when_its_seed_appears()
    {
        string address = _addresses.Next();
        var early = await StartAsync(1, options => options.WithSeeds(address));
        Assert.Equal(1, Assert.Single(early.Members).NodeId);
        var late = await StartAsync(2, options => { }, address);
        await early.WaitForNodesAsync(2, Soon, Stop);
        await late.WaitForNodesAsync(2, Soon, Stop);
    }

    [Fact]
    public async Task Second_node_with_the_same_id_does_not_start_and_the_error_names_both()
    {
        var (first, second, _) = await StartThreeAsync();
        foreach (var seed in (DatacakeNode[])[first, second])
        {
            var refused = await Assert.ThrowsAsync<ClusterRefusedException>(
                async () => await StartAsync(1, options => options.WithSeeds(seed.Address)));
            Assert.Contains($"node 1 at {first.Address}", refused.Message, StringComparison.Ordinal);
            Assert.Contains("The node id 1 is in use", refused.Message, StringComparison.Ordinal);
            Assert.Contains("Node 1 at 127.0.0.1:", refused.Message, StringComparison.Ordinal);
        }
        Assert.Contains(_log.Messages, line => line.Contains($"while node 1 at {first.Address}", StringComparison.Ordinal));
        await second.UntilAsync(members => members[0] is { IsUp: true } member && member.Generation == first.Generation);
    }

    [Fact]
    public async Task Node_of_another_cluster_does_not_start_and_the_error_names_both()
    {
        var first = await StartAsync(1, options => options.WithClusterId("shop"));
        var refused = await Assert.ThrowsAsync<ClusterRefusedException>(
            async () => await StartAsync(2, options => options.WithClusterId("bank").WithSeeds(first.Address)));
        Assert.Contains("belongs to cluster 'bank'", refused.Message, StringComparison.Ordinal);
        Assert.Contains(
            $"node 1 at {first.Address} (generation {first.Generation}) belongs to cluster 'shop'", refused.Message, StringComparison.Ordinal);
        Assert.Contains(
            _log.Messages, line => line.Contains("Node 1 at", StringComparison.Ordinal) && line.Contains("'bank'", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refusal_repeated_in_every_round_is_logged_once_on_each_side()
    {
        var address = _addresses.Next();
        var first = await StartAsync(1, options => options.WithClusterId("shop").WithSeeds(address));
        var second = await StartAsync(2, options => options.WithClusterId("bank"), address);
        await Eventually.WaitUntilAsync(
            () => first.SeedContacts[0].State == SeedContactState.Refused, "the seed of node 1 refuses it");
        // Wait several more rounds, in which node 1 dials its seed again and again.
        first.SetLabel("a", "b");
        var third = await StartAsync(3, options => options.WithClusterId("shop").WithSeeds(first.Address));
        await third.UntilAsync(members => members[0].Labels.ContainsKey("a"));
        Assert.Equal(1, _log.Count($"Node 1 at {first.Address} (generation {first.Generation}) belongs to cluster 'shop', but node 2"));
        Assert.Equal(1, _log.Count($"Node 2 at {second.Address} (generation {second.Generation}) belongs to cluster 'bank', but node 1"));
    }

    [Fact]
    public async Task Undecodable_message_is_logged_once_without_the_sender_port_and_moves_no_clock()
    {
        var node = await StartAsync(1, options => { });
        var before = node.Clock.Last;
        await using var channel = new RpcChannel(node.Address);
        for (var i = 0; i < 3; i++)
        {
            using var reply = await channel.CallAsync("gossip", "exchange", new byte[] { 1, 2, 3, 4 }, cancellationToken: Stop);
            Assert.True(reply.Span.IsEmpty);
        }
        Assert.Equal("An invalid gossip message from 127.0.0.1 was dropped: it is not a gossip message (message 1 of this kind).",
            Assert.Single(_log.Messages, message => message.Contains("was dropped", StringComparison.Ordinal)));
        Assert.True(node.Clock.Last.Time - before.Time < TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Changes_of_labels_are_seen_by_others()
    {
        var (first, _, third) = await StartThreeAsync();
        first.SetLabel("store", "a");
        await third.UntilAsync(members => members[0].Labels.GetValueOrDefault("store") == "a");
        first.SetLabel("store", "b");
        await third.UntilAsync(members => members[0].Labels.GetValueOrDefault("store") == "b");
        first.RemoveLabel("store");
        await third.UntilAsync(members => !members[0].Labels.ContainsKey("store"));
    }

    [Fact]
    public async Task Clock_of_a_node_advances_with_the_stamps_of_others()
    {
        var (first, second, _) = await StartThreeAsync();
        var ahead = new HlcTimestamp(first.Clock.Tick().Seconds + 3_000, 0, 0, 9);
        first.Clock.AdvanceTo(ahead);
        first.SetLabel("clock", "ahead");
        await second.UntilAsync(members => members[0].Labels.ContainsKey("clock"));
        Assert.True(second.Clock.Last > ahead);
    }

    [Fact]
    public async Task A_node_of_another_cluster_does_not_move_the_clock()
    {
        var time = new ShiftedTime(TimeSpan.Zero);
        var production = await StartAsync(1, options => options.WithClusterId("production").WithTimeProvider(time));
        var ahead = new ShiftedTime(TimeSpan.FromSeconds(4_000));
        await Assert.ThrowsAsync<ClusterRefusedException>(async () => await StartAsync(
            2, options => options.WithClusterId("staging").WithSeeds(production.Address).WithTimeProvider(ahead)));
        await StartAsync(3, options => options.WithClusterId("production").WithSeeds(production.Address).WithTimeProvider(time));
        await production.WaitForNodesAsync([1, 3], Soon, Stop);
        Assert.True(production.Clock.Last.Time - time.GetUtcNow() < TimeSpan.FromMinutes(1));
        Assert.DoesNotContain((byte)2, production.ClockOffsets.Keys);
    }

    [Fact]
    public async Task Clock_of_a_node_is_followed_while_its_wall_clock_agrees_and_again_once_it_is_corrected()
    {
        var wrong = new ShiftedTime(TimeSpan.FromHours(2));
        var first = await StartAsync(1, options => { });
        var second = await StartAsync(2, options => options.WithSeeds(first.Address).WithTimeProvider(wrong));
        await first.WaitForNodesAsync([1, 2], Soon, Stop);
        await second.WaitForNodesAsync([1, 2], Soon, Stop);
        await _log.WaitUntilAsync("The wall clocks of node 1 (", $"and node 2 at {second.Address}", "differ by 0", "the limit of 01:08:20");
        Assert.InRange(first.ClockOffsets[2], TimeSpan.FromHours(1.9), TimeSpan.FromHours(2.1));
        Assert.InRange(second.ClockOffsets[1], -TimeSpan.FromHours(2.1), -TimeSpan.FromHours(1.9));
        Assert.True(first.Clock.Last.Time - TimeProvider.System.GetUtcNow() < TimeSpan.FromMinutes(1));

        // The wall clock is corrected, but the cluster clock of that node never goes back and leads by two hours.
        wrong.Offset = TimeSpan.Zero;
        await _log.WaitUntilAsync("The wall clocks of node 1 (", "agree again");
        await Eventually.WaitUntilAsync(
            () => first.Clock.Last.Time - TimeProvider.System.GetUtcNow() > TimeSpan.FromHours(1), "node 1 follows the clock of node 2");
    }

    [Fact]
    public async Task Maximum_difference_of_wall_clocks_is_configurable()
    {
        var first = await StartAsync(1, options => options.WithMaxClockDifference(TimeSpan.FromHours(3)));
        Assert.Equal(TimeSpan.FromHours(3), first.MaxClockDifference);
        await StartAsync(2, options => options.WithSeeds(first.Address).WithTimeProvider(new ShiftedTime(TimeSpan.FromHours(2))));
        await Eventually.WaitUntilAsync(
            () => first.Clock.Last.Time - TimeProvider.System.GetUtcNow() > TimeSpan.FromHours(1), "node 1 follows the clock of node 2");
    }

    [Fact]
    public async Task Node_that_left_is_shown_as_left_even_if_its_clock_went_back_between_two_runs()
    {
        var time = new ShiftedTime(TimeSpan.Zero);
        var first = await StartAsync(1, options => options.WithGossip(gossip => gossip.UseLocal()));
        var killed = await StartAsync(2, options => options.WithSeeds(first.Address).WithTimeProvider(time));
        await first.WaitForNodesAsync([1, 2], Soon, Stop);
        await killed.StopAbruptlyAsync();
        time.Offset = -TimeSpan.FromSeconds(5);
        var next = await StartAsync(2, options => options.WithSeeds(first.Address).WithTimeProvider(time));
        await first.UntilAsync(members => members is [_, { IsUp: true } member] && member.Generation == next.Generation);
        await next.DisposeAsync();
        await first.UntilAsync(members => members is [_, { State: MemberState.Left } member] && member.Generation == next.Generation);
    }

    [Fact]
    public async Task Timed_out_wait_names_the_missing_nodes()
    {
        var first = await StartAsync(1, options => { });
        var error = await Assert.ThrowsAsync<TimeoutException>(() => first.WaitForNodesAsync([1, 7], TimeSpan.FromMilliseconds(50), Stop));
        Assert.Contains("for nodes 7 to be up", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<TimeoutException>(() => first.WaitForNodesAsync(3, TimeSpan.FromMilliseconds(50), Stop));
        Assert.Contains("2 more of 3 nodes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_watch_ends_when_the_node_stops()
    {
        var first = await StartAsync(1, options => { });
        var watch = Task.Run(async () =>
        {
            var seen = new List<MembershipChangeKind>();
            await foreach (var change in first.WatchMembersAsync(Stop))
                seen.Add(change.Kind);
            return seen;
        }, Stop);
        await first.DisposeAsync();
        await watch.WaitAsync(Soon, Stop);
    }

    [Fact]
    public async Task Storage_is_opened_at_start_and_closed_last()
    {
        var storage = new NotedStorage();
        var node = await StartAsync(1, options => options.UseStorage(() => storage));
        Assert.Same(storage, node.Storage);
        var extension = await node.AddExtensionAsync(new StorageUser(), Stop);
        await node.DisposeAsync();
        Assert.False(extension.FoundStorageClosed);
        Assert.True(storage.IsClosed);
    }

    [Fact]
    public async Task Node_that_fails_to_start_closes_its_storage()
    {
        var first = await StartAsync(1, options => { });
        var storage = new NotedStorage();
        await Assert.ThrowsAsync<RpcException>(
            async () => await StartAsync(2, options => options.UseStorage(() => storage), first.Address));
        Assert.True(storage.IsClosed);
    }

    [Fact]
    public async Task Extensions_are_found_by_type_and_disposed_in_reverse_while_the_network_still_works()
    {
        var (first, second, _) = await StartThreeAsync();
        var order = new List<string>();
        var one = await first.AddExtensionAsync(new Recorder<int>("one", order, second), Stop);
        await first.AddExtensionAsync(new Recorder<long>("two", order, second), Stop);
        Assert.Same(one, first.FindExtension<Recorder<int>>());
        Assert.Null(first.FindExtension<StorageUser>());
        await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await first.AddExtensionAsync(new Recorder<int>("three", order, second), Stop));
        await first.DisposeAsync();
        Assert.Equal(["two sees 1 up", "one sees 1 up"], order);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await first.AddExtensionAsync(new StorageUser(), Stop));
    }

    [Fact]
    public async Task Example_extension_drops_a_key_from_the_caches_of_all_nodes()
    {
        await StartThreeAsync();
        var caches = new List<CacheInvalidation>();
        foreach (var node in _nodes)
            caches.Add(await node.AddExtensionAsync(new CacheInvalidation(), Stop));
        Assert.All(caches, cache => Assert.Equal("old", cache.GetOrAdd("price", _ => "old")));
        await caches[1].InvalidateAsync("price", Stop);
        Assert.All(caches, cache => Assert.Equal("new", cache.GetOrAdd("price", _ => "new")));
    }

    [Fact]
    public async Task Node_reports_metrics()
    {
        using var seen = new MeterListener();
        var measured = new ConcurrentDictionary<string, double>();
        seen.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == "Datacake.Node")
                listener.EnableMeasurementEvents(instrument);
        };
        seen.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        seen.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags, isSum: true));
        seen.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        seen.Start();

        // No other test uses this id, because all nodes of the process share the meter.
        var node = await StartAsync(201, options => options.InDataCenter("a"));
        await StartAsync(202, options => options.WithSeeds(node.Address).InDataCenter("b"));
        await node.WaitForNodesAsync(2, Soon, Stop);
        seen.RecordObservableInstruments();

        Assert.Equal(2, measured["datacake.members up"]);
        Assert.Equal(0, measured["datacake.members down"]);
        Assert.Equal(2, measured["datacake.data_centers "]);
        Assert.InRange(measured["datacake.gossip.phi 202"], 0, double.MaxValue);
        Assert.True(measured["datacake.gossip.rounds "] > 0);
        Assert.True(measured["datacake.gossip.bytes sent"] > 0);
        Assert.True(measured["datacake.gossip.bytes received"] > 0);
        Assert.InRange(measured["datacake.clock.drift "], -60, 60);

        void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, bool isSum = false)
        {
            if (tags[0] is { Key: "node", Value: "201" })
                measured.AddOrUpdate(
                    $"{instrument.Name} {(tags.Length > 1 ? tags[1].Value : null)}", value, (_, before) => isSum ? before + value : value);
        }
    }

    [Fact]
    public async Task A_stopped_node_can_be_stopped_again()
    {
        var node = await StartAsync(1, options => { });
        await node.DisposeAsync();
        await node.DisposeAsync();
        await node.StopAbruptlyAsync();
    }

    async Task<(DatacakeNode First, DatacakeNode Second, DatacakeNode Third)> StartThreeAsync(Action<DatacakeNodeOptions>? configure = null)
    {
        configure ??= _ => { };
        var first = await StartAsync(1, configure);
        var second = await StartAsync(2, options => configure(options.WithSeeds(first.Address)));
        var third = await StartAsync(3, options => configure(options.WithSeeds(first.Address, second.Address)));
        foreach (var node in _nodes)
            await node.WaitForNodesAsync(3, Soon, Stop);
        return (first, second, third);
    }

    async Task<DatacakeNode> StartAsync(int nodeId, Action<DatacakeNodeOptions> configure, string? address = null)
    {
        var node = await DatacakeNode.StartAsync(
            options => configure(options
                .WithNodeId(nodeId).ListenOn(address ?? _addresses.Next()).WithGossip(gossip => gossip.UsePatient()).WithLoggerFactory(_log)),
            Stop);
        _nodes.Add(node);
        return node;
    }

    /// <summary>A memory storage that records whether it was closed.</summary>
    sealed class NotedStorage : IStorage
    {
        readonly MemoryStorage _storage = new();

        public bool IsClosed { get; private set; }

        public string Description => "a noted store";

        public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
            => _storage.OpenSnapshotAsync(cancellationToken);

        public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
        {
            Assert.False(IsClosed);
            return _storage.CommitAsync(batch, durability, cancellationToken);
        }

        public ValueTask DisposeAsync()
        {
            IsClosed = true;
            return ValueTask.CompletedTask;
        }
    }

    sealed class StorageUser : IClusterExtension<StorageUser>, IAsyncDisposable
    {
        NotedStorage? _storage;

        public bool? FoundStorageClosed { get; private set; }

        public ValueTask<StorageUser> StartAsync(DatacakeNode node, CancellationToken cancellationToken)
        {
            _storage = (NotedStorage?)node.Storage;
            return ValueTask.FromResult(this);
        }

        public ValueTask DisposeAsync()
        {
            FoundStorageClosed = _storage!.IsClosed;
            return ValueTask.CompletedTask;
        }
    }

    /// <summary>An extension that records, when it is disposed, whether the other node still sees this one.</summary>
    sealed class Recorder<T>(string name, List<string> order, DatacakeNode other) : IClusterExtension<Recorder<T>>, IAsyncDisposable
    {
        byte _nodeId;

        public ValueTask<Recorder<T>> StartAsync(DatacakeNode node, CancellationToken cancellationToken)
        {
            _nodeId = node.Id;
            return ValueTask.FromResult(this);
        }

        public ValueTask DisposeAsync()
        {
            var seen = other.Members.Single(member => member.NodeId == _nodeId);
            order.Add($"{name} sees {seen.NodeId} {(seen.IsUp ? "up" : "gone")}");
            return ValueTask.CompletedTask;
        }
    }

    sealed class OneLogger(CollectingLog log, LogLevel least) : ILoggerProvider, ILogger
    {
        public CollectingLog Log => log;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= least;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            log.Log(logLevel, eventId, state, exception, formatter);

        public void Dispose() => log.Dispose();
    }
}
