using System.Collections.Concurrent;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests;

/// <summary>Stores that close, with pending work and later calls.</summary>
public sealed class ClosingTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Closing_store_first_replicates_all_acknowledged_writes()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var cakes = cluster[3].Store.Keyspace("cakes");
        for (int i = 0; i < 200; i++)
            await cakes.PutAsync(i, new byte[100_000], Consistency.None, Canceled);
        await cluster[3].Node.DisposeAsync();
        for (int node = 1; node <= 2; node++)
            Assert.Equal(200, (await cluster[node].Store.Keyspace("cakes").GetStatisticsAsync(Canceled)).Count);
        Assert.False(cluster[3].Log.Contains("may be on no other member"));
    }

    [Fact]
    public async Task Store_that_closes_with_unreplicated_writes_logs_how_many()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        cluster[2].Transport.Cut();
        await cluster.WaitUntilAliveAsync(2, 1);
        for (int i = 0; i < 7; i++)
            await cluster[2].Store.Keyspace("cakes").PutAsync(i, "cake"u8.ToArray(), Consistency.None, Canceled);
        await cluster[2].Node.DisposeAsync();
        Assert.True(cluster[2].Log.Contains("7 of its transactions may be on no other member"));
    }

    [Fact]
    public async Task Closing_store_waits_for_an_unresponsive_peer_only_until_its_timeout()
    {
        var gated = new GatedStorage();
        var options = new ReplicatedStoreOptions { StopTimeout = TimeSpan.FromMilliseconds(100) };
        await using var cluster = await TestCluster.StartAsync(1);
        await cluster.AddAsync(2, gated);
        await cluster.AddAsync(3, options: options);
        await cluster.WaitUntilConnectedAsync();
        gated.Close();
        await cluster[3].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.None, Canceled);
        await cluster[3].Store.DisposeAsync().AsTask().WaitAsync(TestCluster.Deadline, Canceled);
        gated.Open();
    }

    [Theory]
    [InlineData(Consistency.None)]
    [InlineData(Consistency.Quorum)]
    public async Task Writers_and_readers_of_a_closed_store_are_told_that_it_is_closed(Consistency level)
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var cakes = cluster[1].Store.Keyspace("cakes");
        await cakes.PutAsync(1, "cake"u8.ToArray(), Consistency.All, Canceled);
        await cluster[1].Store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await cakes.PutAsync(1, "pie"u8.ToArray(), level, Canceled));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await cakes.GetAsync(1, level, Canceled));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await cakes.GetAsync(1, Canceled));
    }

    [Fact]
    public async Task Queued_work_is_told_that_the_store_closes()
    {
        var gated = new GatedStorage();
        await using var cluster = new TestCluster();
        await cluster.AddAsync(1, gated, new ReplicatedStoreOptions { StopTimeout = TimeSpan.Zero });
        await cluster[1].Store.Joined.WaitAsync(TestCluster.Deadline, Canceled);
        var cakes = cluster[1].Store.Keyspace("cakes");
        gated.Close();
        var first = cakes.PutAsync(0, "cake"u8.ToArray(), Consistency.None, Canceled).AsTask();
        var waiting = Enumerable.Range(1, 100).Select(i => cakes.PutAsync(i, "cake"u8.ToArray(), Consistency.None, Canceled).AsTask()).ToArray();
        var closing = cluster[1].Store.DisposeAsync().AsTask();
        await TestCluster.WaitUntilAsync(
            async () => await Record.ExceptionAsync(async () => await cakes.GetAsync(1, Canceled)) is ObjectDisposedException, "the store is closing");
        gated.Open();
        await closing.WaitAsync(TestCluster.Deadline, Canceled);
        foreach (var write in waiting.Prepend(first))
        {
            // Work that was already in the current batch is committed.
            if (await Record.ExceptionAsync(() => write.WaitAsync(TestCluster.Deadline, Canceled)) is { } failure)
                Assert.IsType<ObjectDisposedException>(failure);
        }
    }

    [Fact]
    public async Task Write_acknowledged_too_late_is_kept_and_identified_by_its_token()
    {
        var gated = new GatedStorage();
        await using var cluster = await TestCluster.StartAsync(1);
        await cluster.AddAsync(2, options: new ReplicatedStoreOptions { AcknowledgmentTimeout = TimeSpan.FromMilliseconds(100) });
        await cluster.AddAsync(3, gated);
        await cluster.WaitUntilConnectedAsync();
        gated.Close();
        var late = await Assert.ThrowsAsync<ConsistencyException>(
            async () => await cluster[2].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.All, Canceled));
        Assert.Equal(NodeSet.Of(1, 2), late.Acknowledged.With(1));
        Assert.Contains("no acknowledgment arrived in time", late.Message, StringComparison.Ordinal);
        Assert.Contains("continues to replicate", late.Message, StringComparison.Ordinal);
        gated.Open();
        await cluster[3].Store.WaitForAsync(late.GetToken()!.Value, Canceled).AsTask().WaitAsync(TestCluster.Deadline, Canceled);
        Assert.NotNull(await cluster[3].Store.Keyspace("cakes").GetAsync(1, Canceled));
    }

    [Fact]
    public async Task Timeouts_beyond_the_range_of_a_timer_are_infinite_or_refused()
    {
        var options = new ReplicatedStoreOptions { AcknowledgmentTimeout = TimeSpan.MaxValue, JoinTimeout = TimeSpan.MaxValue };
        await using var cluster = new TestCluster();
        await cluster.AddAsync(1, options: options);
        await cluster[1].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.None, Canceled);
        await cluster.AddAsync(2, options: options);
        await cluster.WaitUntilConnectedAsync();
        await cluster[2].Store.Keyspace("cakes").PutAsync(2, "cake"u8.ToArray(), Consistency.All, Canceled);
        Assert.NotNull(await cluster[2].Store.Keyspace("cakes").GetAsync(1, Consistency.All, Canceled));

        foreach (var refused in new ReplicatedStoreOptions[] { new() { ReportInterval = TimeSpan.MaxValue }, new() { StopTimeout = TimeSpan.FromDays(60) }, new() { StopTimeout = TimeSpan.FromSeconds(-1) } })
            Assert.Throws<ArgumentException>(() => new DatacakeNodeOptions().WithStore(store => (store.ReportInterval, store.StopTimeout) = (refused.ReportInterval, refused.StopTimeout)));
    }

    [Fact]
    public async Task Sessions_that_close_leave_no_unobserved_exception()
    {
        var unseen = new ConcurrentQueue<Exception>();
        void OnUnseen(object? sender, UnobservedTaskExceptionEventArgs e)
        {
            // Other tests run at the same time, and some abandon their waits when they close a store.
            foreach (var failure in e.Exception.InnerExceptions.Where(failure => failure.Message.Contains("The store is closed", StringComparison.Ordinal)
                && failure.StackTrace?.Contains("Datacake.EventualConsistency.Links", StringComparison.Ordinal) == true))
                unseen.Enqueue(failure);
        }

        TaskScheduler.UnobservedTaskException += OnUnseen;
        try
        {
            for (int round = 0; round < 3; round++)
            {
                await using var cluster = await TestCluster.StartAsync(3);
                cluster[3].Transport.Cut();
                await Task.WhenAll(cluster.Stores.Select(store => store.DisposeAsync().AsTask()));
            }
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= OnUnseen;
        }
        Assert.Empty(unseen);
    }

    [Fact]
    public async Task Node_stops_although_the_calling_thread_blocks_on_it()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        await cluster[1].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.All, Canceled);
        var isStopped = new TaskCompletionSource<bool>();
        new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new DeafContext());
            var stopping = cluster[1].Node.DisposeAsync().AsTask();
            isStopped.SetResult(((IAsyncResult)stopping).AsyncWaitHandle.WaitOne(TestCluster.Deadline));
        }).Start();
        Assert.True(await isStopped.Task);
    }

    /// <summary>The context of a user interface whose thread is blocked, so that callbacks posted to it never run.</summary>
    sealed class DeafContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }

    [Fact]
    public async Task Storage_that_never_completes_synchronously_supports_every_operation()
    {
        await using var cluster = await TestCluster.StartAsync(3, _ => new YieldingStorage());
        await Task.WhenAll(Enumerable.Range(0, 30).Select(async i =>
            await cluster[1 + (i % 3)].Store.Keyspace("cakes").PutAsync(i, BitConverter.GetBytes(i), Consistency.All, Canceled)));
        await cluster[2].Store.Keyspace("cakes").DeleteAsync(0, Consistency.All, Canceled);
        Assert.Equal(29, (await cluster[3].Store.Keyspace("cakes").GetManyAsync(Enumerable.Range(0, 30).Select(i => (DocumentKey)i), Consistency.Quorum, Canceled)).Count);
        await cluster.AddAsync(4, new YieldingStorage());
        await cluster.WaitUntilConnectedAsync();
        await cluster.WaitUntilEqualAsync("cakes", 29);
    }
}
