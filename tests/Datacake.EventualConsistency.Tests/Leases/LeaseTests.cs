using System.Collections.Concurrent;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Leases;
using Datacake.EventualConsistency.Tests.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.EventualConsistency.Tests.Leases;

public sealed class LeaseTests
{
    const string Name = "nightly report";

    static readonly TimeSpan Short = TimeSpan.FromSeconds(2), Long = TimeSpan.FromDays(1);

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Contenders_on_three_nodes_hold_the_lease_one_at_a_time_and_with_growing_tokens()
    {
        const int contenders = 6, rounds = 5;
        await using var cluster = await StartAsync(3);
        int holders = 0;
        var tokens = new ConcurrentQueue<long>();
        await Task.WhenAll(Enumerable.Range(0, contenders).Select(contender => Task.Run(async () =>
        {
            for (int round = 0; round < rounds; round++)
            {
                await using var lease = await cluster[1 + (contender % 3)].Node.Leases.AcquireAsync(Name, Long, Token);
                Assert.Equal(1, Interlocked.Increment(ref holders));
                Assert.True(lease.IsHeld);
                tokens.Enqueue(lease.FencingToken);
                Interlocked.Decrement(ref holders);
            }
        }, Token))).WaitAsync(TestCluster.Deadline, Token);
        Assert.Equal(contenders * rounds, tokens.Count);
        Assert.Equal(tokens.Distinct().Order(), tokens);
    }

    [Fact]
    public async Task Lease_that_somebody_holds_is_not_acquired_on_any_node_until_it_is_released()
    {
        await using var cluster = await StartAsync(3);
        var lease = await cluster[1].Node.Leases.AcquireAsync(Name, Long, Token);
        for (int node = 1; node <= 3; node++)
            Assert.Null(await cluster[node].Node.Leases.TryAcquireAsync(Name, Long, Token));
        await using (var other = await cluster[2].Node.Leases.TryAcquireAsync("another", Long, Token))
            Assert.True(other?.IsHeld);
        await lease.DisposeAsync();
        Assert.False(lease.IsHeld);
        Assert.True(lease.Lost.IsCancellationRequested);
        await using var next = await cluster[3].Node.Leases.TryAcquireAsync(Name, Long, Token);
        Assert.True(next?.FencingToken > lease.FencingToken);
    }

    [Fact]
    public async Task Release_wakes_a_waiter_of_another_node_long_before_the_lease_would_expire()
    {
        await using var cluster = await StartAsync(3);
        var lease = await cluster[1].Node.Leases.AcquireAsync(Name, Long, Token);
        var watching = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var taker = TakerOf(cluster[2].Store, onWatch: () => watching.TrySetResult());
        var waiting = taker.AcquireAsync(Name, Long, mayWait: true, Token);
        await watching.Task.WaitAsync(TestCluster.Deadline, Token);
        Assert.False(waiting.IsCompleted);
        await lease.DisposeAsync();
        await using var next = await waiting.WaitAsync(TestCluster.Deadline, Token);
        Assert.True(next?.IsHeld);
    }

    [Fact]
    public async Task Lease_is_renewed_for_longer_than_its_duration_and_nobody_else_gets_it()
    {
        await using var cluster = await StartAsync(3);
        await using var lease = await cluster[1].Node.Leases.AcquireAsync(Name, Short, Token);
        await cluster[2].Store.CatchUpAsync(Consistency.Serial, Token);
        long first = (await ReadAsync(cluster[2].Store)).Renewal;
        await TestCluster.WaitUntilAsync(async () =>
        {
            Assert.Null(await cluster[3].Node.Leases.TryAcquireAsync(Name, Short, Token));
            return (await ReadAsync(cluster[2].Store)).Renewal >= first + 6;
        }, "the lease is renewed for twice its duration");
        Assert.True(lease.IsHeld);
        Assert.False(lease.Lost.IsCancellationRequested);
        Assert.Equal(lease.FencingToken, (await ReadAsync(cluster[2].Store)).Token);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Holder_that_is_cut_off_loses_the_lease_before_somebody_else_gets_it(bool isSilent)
    {
        await using var cluster = await StartAsync(3);
        var lease = await cluster[3].Node.Leases.AcquireAsync(Name, Short, Token);
        if (isSilent)
            cluster[3].Transport.Pause();
        else
            cluster[3].Transport.Cut();
        bool wasHeld = true;
        var waiting = Task.Run(async () =>
        {
            var next = await AcquireAsync(cluster[1].Store);
            wasHeld = lease.IsHeld || !lease.Lost.IsCancellationRequested;
            return next;
        }, Token);
        await using var next = await waiting.WaitAsync(TestCluster.Deadline, Token);
        Assert.False(wasHeld);
        Assert.True(next.FencingToken > lease.FencingToken);
        // The old holder comes back, and takes nothing from the new one.
        if (isSilent)
            cluster[3].Transport.Resume();
        else
            cluster[3].Transport.Heal();
        await cluster.WaitUntilConnectedAsync();
        await lease.DisposeAsync();
        Assert.False(lease.IsHeld);
        Assert.True(next.IsHeld);
        Assert.Null(await cluster[2].Node.Leases.TryAcquireAsync(Name, Short, Token));
    }

    [Fact]
    public async Task Holder_that_vanished_without_a_release_is_succeeded()
    {
        await using var cluster = await StartAsync(3);
        var lease = await cluster[3].Node.Leases.AcquireAsync(Name, Short, Token);
        await cluster[3].Node.StopAbruptlyAsync();
        await TestCluster.WaitUntilAsync(() => lease.Lost.IsCancellationRequested, "the holder knows that its store is closed");
        Assert.False(lease.IsHeld);
        Lease? next = null;
        await TestCluster.WaitUntilAsync(async () =>
        {
            try
            {
                next = await cluster[1].Node.Leases.TryAcquireAsync(Name, Short, Token);
            }
            catch (NotEnoughNodesException)
            {
                // The sequencer was on the node that vanished.
            }
            return next is not null;
        }, "one of several attempts acquires the lease");
        await using (next)
            Assert.True(next!.FencingToken > lease.FencingToken);
        await lease.DisposeAsync();
    }

    [Fact]
    public async Task Waiter_whose_wait_is_canceled_leaves_the_lease_to_others()
    {
        await using var cluster = await StartAsync(1);
        var lease = await cluster[1].Node.Leases.AcquireAsync(Name, Long, Token);
        using var canceling = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waiting = cluster[1].Node.Leases.AcquireAsync(Name, Long, canceling.Token);
        await canceling.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.WaitAsync(TestCluster.Deadline, Token));
        await lease.DisposeAsync();
        await using var next = await cluster[1].Node.Leases.TryAcquireAsync(Name, Long, Token);
        Assert.True(next?.IsHeld);
    }

    [Fact]
    public async Task Acquisition_whose_outcome_is_unknown_when_it_is_canceled_is_released_in_the_background()
    {
        await using var cluster = await StartAsync(1);
        var store = cluster[1].Store;
        using var canceling = CancellationTokenSource.CreateLinkedTokenSource(Token);
        bool isFirst = true;
        await using var taker = TakerOf(store, onCommit: async commit =>
        {
            var result = await commit();
            if (!isFirst)
                return result;
            isFirst = false;
            await canceling.CancelAsync();
            throw new OutcomeUnknownException("The answer was lost.", cause: null, _ => Task.FromResult(result));
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taker.AcquireAsync(Name, Long, mayWait: true, canceling.Token));
        await using var next = await AcquireAsync(store).WaitAsync(TestCluster.Deadline, Token);
        Assert.Equal(2, next.FencingToken);
    }

    [Fact]
    public async Task Acquisition_whose_answer_was_lost_is_held_once_the_outcome_is_known()
    {
        await using var cluster = await StartAsync(1);
        var store = cluster[1].Store;
        int asked = 0;
        await using var taker = TakerOf(store, onCommit: async commit =>
        {
            var result = await commit();
            throw new OutcomeUnknownException("The answer was lost.", cause: null, _ => ++asked < 3 ? throw new TimeoutException() : Task.FromResult(result));
        });
        await using var lease = await taker.AcquireAsync(Name, Long, mayWait: false, Token);
        Assert.Equal(3, asked);
        Assert.True(lease?.IsHeld);
        Assert.Null(await cluster[1].Node.Leases.TryAcquireAsync(Name, Long, Token));
    }

    [Fact]
    public async Task Renewal_whose_outcome_stays_unknown_does_not_prolong_the_lease_and_does_not_keep_it_taken()
    {
        await using var cluster = await StartAsync(1);
        var store = cluster[1].Store;
        int commits = 0;
        CommitResult? renewed = null;
        bool isAnswered = false;
        await using var taker = TakerOf(store, onCommit: async commit =>
        {
            var result = await commit();
            if (Interlocked.Increment(ref commits) != 2)
                return result;
            renewed = result;
            throw new OutcomeUnknownException("The answer was lost.", cause: null, _ => Volatile.Read(ref isAnswered) ? Task.FromResult(renewed) : throw new TimeoutException());
        });
        var lease = (await taker.AcquireAsync(Name, Short, mayWait: false, Token))!;
        await TestCluster.WaitUntilAsync(() => lease.Lost.IsCancellationRequested, "the lease is lost, because no renewal is confirmed");
        Assert.NotNull(renewed);
        Assert.False(lease.IsHeld);
        Volatile.Write(ref isAnswered, true);
        await lease.DisposeAsync();
        await using var next = await cluster[1].Node.Leases.TryAcquireAsync(Name, Long, Token);
        Assert.True(next?.FencingToken > lease.FencingToken);
    }

    [Fact]
    public async Task Acquisition_that_is_confirmed_too_late_to_be_relied_on_is_repeated()
    {
        await using var cluster = await StartAsync(1);
        bool isFirst = true;
        await using var taker = TakerOf(cluster[1].Store, onCommit: async commit =>
        {
            var result = await commit();
            if (isFirst)
                await Task.Delay(LeaseTaker.MinDuration, Token);
            isFirst = false;
            return result;
        });
        await using var lease = await taker.AcquireAsync(Name, LeaseTaker.MinDuration, mayWait: true, Token);
        Assert.False(isFirst);
        Assert.True(lease!.FencingToken > 1);
    }

    [Fact]
    public async Task Closing_store_loses_its_leases()
    {
        await using var cluster = await StartAsync(1);
        var lease = await cluster[1].Node.Leases.AcquireAsync(Name, Long, Token);
        await cluster[1].Node.DisposeAsync();
        await TestCluster.WaitUntilAsync(() => lease.Lost.IsCancellationRequested, "the lease is lost");
        Assert.False(lease.IsHeld);
        await lease.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => cluster[1].Node.Leases.AcquireAsync(Name, Long, Token));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("x", 201)]
    [InlineData("ä", 101)]
    public async Task Name_of_an_invalid_length_is_refused_with_the_limit(string text, int count)
    {
        await using var cluster = await StartAsync(1);
        string name = string.Concat(Enumerable.Repeat(text, count));
        var e = await Assert.ThrowsAsync<ArgumentException>(() => cluster[1].Node.Leases.AcquireAsync(name, Short, Token));
        Assert.Contains("Use a name of 1 to 200 bytes.", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => cluster[1].Node.Leases.TryAcquireAsync(name, Short, Token));
        await using var longest = await cluster[1].Node.Leases.TryAcquireAsync(new string('x', 200), Short, Token);
        Assert.True(longest?.IsHeld);
    }

    [Fact]
    public async Task Name_with_half_of_a_surrogate_pair_is_refused()
    {
        await using var cluster = await StartAsync(1);
        await Assert.ThrowsAsync<ArgumentException>(() => cluster[1].Node.Leases.AcquireAsync("a\ud800", Short, Token));
        await Assert.ThrowsAsync<ArgumentNullException>(() => cluster[1].Node.Leases.AcquireAsync(null!, Short, Token));
    }

    [Theory]
    [InlineData("00:00:00")]
    [InlineData("-00:00:01")]
    [InlineData("00:00:00.0999999")]
    [InlineData("1.00:00:00.0000001")]
    public async Task Duration_out_of_range_is_refused_with_the_limits(string duration)
    {
        await using var cluster = await StartAsync(1);
        var e = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => cluster[1].Node.Leases.AcquireAsync(Name, TimeSpan.Parse(duration, null), Token));
        Assert.Contains("Use a duration from 100 ms to 24 hours.", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => cluster[1].Node.Leases.TryAcquireAsync(Name, TimeSpan.Parse(duration, null), Token));
    }

    /// <summary>Acquires the lease. While a new sequencer is elected, this may fail.</summary>
    static async Task<Lease> AcquireAsync(ReplicatedStore store)
    {
        while (true)
        {
            try
            {
                return await store.Node.Leases.AcquireAsync(Name, Long, Token);
            }
            catch (NotEnoughNodesException)
            {
                await Task.Yield();
            }
        }
    }

    static async Task<LeaseRecord> ReadAsync(ReplicatedStore store) => LeaseRecord.Of(await store.Keyspace(LeaseRegister.Keyspace).GetAsync(Name, Token))!;

    /// <summary>Returns a taker of leases whose commits and watches go through functions of the test.</summary>
    static LeaseTaker TakerOf(ReplicatedStore store, Func<Func<Task<CommitResult>>, Task<CommitResult>>? onCommit = null, Action? onWatch = null) => new(
        new LeaseRegister(
            (key, token) => store.Keyspace(LeaseRegister.Keyspace).GetAsync(key, Consistency.Serial, token),
            async (transaction, token) => onCommit is null
                ? await store.CommitSerialAsync(transaction, token)
                : await onCommit(() => store.CommitSerialAsync(transaction, token).AsTask()),
            token =>
            {
                onWatch?.Invoke();
                return store.Keyspace(LeaseRegister.Keyspace).WatchAsync(WatchPosition.Now, token);
            },
            store.Node.TimeProvider,
            NullLogger.Instance),
        token => store.DeclareAsync(new KeyspaceDeclaration(LeaseRegister.Keyspace, MergePolicy.Serial, []), token));

    static async Task<TestCluster> StartAsync(int count)
    {
        var cluster = await TestCluster.StartAsync(count);
        await TestCluster.WaitUntilAsync(
            () => cluster.Stores.All(store => store.SerialStatus is { Sequencer: not null } status && status.VoterCount == count), "all nodes vote, and there is a sequencer");
        return cluster;
    }
}
