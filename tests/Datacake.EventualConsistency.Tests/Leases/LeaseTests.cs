using System.Collections.Concurrent;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Leases;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Rpc.Tests.Fixtures;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.EventualConsistency.Tests.Leases;

public sealed class LeaseTests
{
    const string Name = "nightly report";

    static readonly TimeSpan Short = TimeSpan.FromSeconds(3), Renewal = Short / 3, Long = TimeSpan.FromDays(1);

    static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

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
        var waiting = taker.AcquireAsync(Name, Long, Token);
        await watching.Task.WaitAsync(TestCluster.Deadline, Token);
        Assert.False(waiting.IsCompleted);
        await lease.DisposeAsync();
        await using var next = await waiting.WaitAsync(TestCluster.Deadline, Token);
        Assert.True(next?.IsHeld);
    }

    [Fact]
    public async Task Calls_of_a_node_that_wait_share_one_watch_and_each_gets_its_lease()
    {
        const int names = 3, callsPerName = 4;
        await using var cluster = await StartAsync(1);
        var store = cluster[1].Store;
        var leases = new Lease[names];
        for (int name = 0; name < names; name++)
            leases[name] = await store.Node.Leases.AcquireAsync($"{name}", Long, Token);
        int reads = 0, watches = 0;
        await using var taker = TakerOf(store, onWatch: () => Interlocked.Increment(ref watches), onRead: () => Interlocked.Increment(ref reads));
        var acquired = new ConcurrentQueue<long>();
        var waiting = Task.WhenAll(Enumerable.Range(0, names * callsPerName).Select(async call =>
        {
            await using var lease = await taker.AcquireAsync($"{call % names}", Long, Token);
            acquired.Enqueue(lease.FencingToken);
        }));
        // Each call reads before the watch and after it has begun.
        await TestCluster.WaitUntilAsync(() => Volatile.Read(ref reads) >= 2 * names * callsPerName, "all calls wait");
        foreach (var lease in leases)
            await lease.DisposeAsync();
        await waiting.WaitAsync(TestCluster.Deadline, Token);
        Assert.Equal(1, watches);
        Assert.Equal(Enumerable.Range(2, callsPerName).SelectMany(token => Enumerable.Repeat((long)token, names)), acquired.Order());
    }

    [Fact]
    public async Task Lease_is_renewed_for_longer_than_its_duration_and_nobody_else_gets_it()
    {
        await using var cluster = await StartAsync(3);
        var time = new ManualTimeProvider();
        await using var taker = TakerOf(cluster[1].Store, time: time);
        await using var other = TakerOf(cluster[3].Store, time: time);
        await using var lease = await taker.AcquireAsync(Name, Short, Token);
        for (long renewal = 2; renewal <= 7; renewal++)
        {
            await TestCluster.WaitUntilAsync(() => time.CountDueIn(Renewal) == 1, "the next renewal waits for its time");
            time.Advance(Renewal);
            await TestCluster.WaitUntilAsync(async () => (await ReadAsync(cluster[2].Store))?.Renewal == renewal, "the lease is renewed");
            Assert.Null(await other.TryAcquireAsync(Name, Short, Token));
        }
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
        var time = new ManualTimeProvider();
        await using var taker = TakerOf(cluster[3].Store, time: time);
        await using var other = TakerOf(cluster[1].Store, time: time);
        var lease = await taker.AcquireAsync(Name, Short, Token);
        if (isSilent)
            cluster[3].Transport.Pause();
        else
            cluster[3].Transport.Cut();
        bool wasHeld = true;
        var waiting = Task.Run(async () =>
        {
            var next = await RetryAsync(() => other.AcquireAsync(Name, Long, Token));
            wasHeld = lease.IsHeld || !lease.Lost.IsCancellationRequested;
            return next;
        }, Token);
        await TestCluster.WaitUntilAsync(() =>
        {
            time.Advance(Short / 24);
            return waiting.IsCompleted;
        }, "somebody else gets the lease");
        await using var next = await waiting;
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
        var lease = await cluster[3].Node.Leases.AcquireAsync(Name, Long, Token);
        await cluster[3].Node.StopAbruptlyAsync();
        await TestCluster.WaitUntilAsync(() => lease.Lost.IsCancellationRequested, "the holder knows that its store is closed");
        Assert.False(lease.IsHeld);
        var time = new ManualTimeProvider();
        await using var taker = TakerOf(cluster[1].Store, time: time);
        // The sequencer may have been on the node that vanished.
        Assert.Null(await RetryAsync(() => taker.TryAcquireAsync(Name, Short, Token)));
        time.Advance(Long - TimeSpan.FromMilliseconds(1));
        Assert.Null(await RetryAsync(() => taker.TryAcquireAsync(Name, Short, Token)));
        time.Advance(TimeSpan.FromMilliseconds(1));
        await using (var next = await RetryAsync(() => taker.TryAcquireAsync(Name, Short, Token)))
            Assert.True(next?.FencingToken > lease.FencingToken);
        await lease.DisposeAsync();
    }

    [Fact]
    public async Task Lease_of_another_holder_with_the_same_number_of_writes_counts_as_changed()
    {
        await using var cluster = await StartAsync(1);
        var time = new ManualTimeProvider();
        await using var taker = TakerOf(cluster[1].Store, time: time);
        await PutAsync(cluster[1].Store, LeaseRecord.Of(Guid.NewGuid(), Short, before: null, tokenFloor: 0));
        Assert.Null(await taker.TryAcquireAsync(Name, Short, Token));
        time.Advance(Short - Renewal);
        await PutAsync(cluster[1].Store, LeaseRecord.Of(Guid.NewGuid(), Short, before: null, tokenFloor: 0));
        Assert.Null(await taker.TryAcquireAsync(Name, Short, Token));
        time.Advance(Renewal);
        Assert.Null(await taker.TryAcquireAsync(Name, Short, Token));
        time.Advance(Short - Renewal);
        await using var lease = await taker.TryAcquireAsync(Name, Short, Token);
        Assert.True(lease?.IsHeld);
    }

    [Fact]
    public async Task Release_with_a_smaller_number_of_writes_than_before_wakes_a_waiter()
    {
        await using var cluster = await StartAsync(1);
        var store = cluster[1].Store;
        var held = LeaseRecord.Of(Guid.NewGuid(), Long, before: null, tokenFloor: 0);
        await PutAsync(store, held.Renewed().Renewed().Renewed());
        int reads = 0;
        await using var taker = TakerOf(store, onRead: () => Interlocked.Increment(ref reads));
        var waiting = taker.AcquireAsync(Name, Long, Token);
        await TestCluster.WaitUntilAsync(() => Volatile.Read(ref reads) >= 2, "the call waits");
        await PutAsync(store, held.Released());
        await using var lease = await waiting.WaitAsync(TestCluster.Deadline, Token);
        Assert.True(lease.IsHeld);
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
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taker.AcquireAsync(Name, Long, canceling.Token));
        await using var next = await store.Node.Leases.AcquireAsync(Name, Long, Token).WaitAsync(TestCluster.Deadline, Token);
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
        await using var lease = await taker.TryAcquireAsync(Name, Long, Token);
        Assert.Equal(3, asked);
        Assert.True(lease?.IsHeld);
        Assert.Null(await cluster[1].Node.Leases.TryAcquireAsync(Name, Long, Token));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Attempt_whose_outcome_stays_unknown_ends_after_a_time_and_leaves_the_lease_to_others(bool isLearnedLater)
    {
        await using var cluster = await StartAsync(1);
        var store = cluster[1].Store;
        var time = new ManualTimeProvider();
        bool isAnswered = false;
        int commits = 0;
        await using var taker = TakerOf(store, time: time, onCommit: async commit =>
        {
            var result = await commit();
            if (Interlocked.Increment(ref commits) > 1)
                return result;
            throw new OutcomeUnknownException("The answer was lost.", cause: null, _ => Volatile.Read(ref isAnswered) ? Task.FromResult(result) : throw new TimeoutException());
        });
        var attempt = taker.TryAcquireAsync(Name, Short, Token);
        await TestCluster.WaitUntilAsync(() => time.CountDueIn(TimeSpan.FromMilliseconds(50)) == 1, "the outcome is asked for");
        time.Advance((2 * Patience) - TimeSpan.FromMilliseconds(1));
        Assert.False(attempt.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(1));
        var e = await Assert.ThrowsAsync<TimeoutException>(() => attempt.WaitAsync(TestCluster.Deadline, Token));
        Assert.Contains("within 20 s whether the lease 'nightly report' was acquired", e.Message, StringComparison.Ordinal);
        await using var other = TakerOf(store, time: time);
        if (!isLearnedLater)
        {
            // Nobody renews it, so it expires.
            Assert.Null(await other.TryAcquireAsync(Name, Short, Token));
            time.Advance(Short);
        }
        Volatile.Write(ref isAnswered, isLearnedLater);
        Lease? next = null;
        await TestCluster.WaitUntilAsync(async () =>
        {
            if (isLearnedLater)
                time.Advance(TimeSpan.FromMilliseconds(50));
            return (next = await other.TryAcquireAsync(Name, Short, Token)) is not null;
        }, "somebody else gets the lease");
        await using (next)
            Assert.Equal(2, next!.FencingToken);
        // The background has a limit, too.
        time.Advance(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task Renewal_whose_outcome_stays_unknown_does_not_prolong_the_lease_and_does_not_keep_it_taken()
    {
        await using var cluster = await StartAsync(1);
        var store = cluster[1].Store;
        var time = new ManualTimeProvider();
        int commits = 0;
        CommitResult? renewed = null;
        bool isAnswered = false;
        await using var taker = TakerOf(store, time: time, onCommit: async commit =>
        {
            var result = await commit();
            if (Interlocked.Increment(ref commits) != 2)
                return result;
            Volatile.Write(ref renewed, result);
            throw new OutcomeUnknownException("The answer was lost.", cause: null, _ => Volatile.Read(ref isAnswered) ? Task.FromResult(renewed) : throw new TimeoutException());
        });
        var lease = (await taker.TryAcquireAsync(Name, Short, Token))!;
        await TestCluster.WaitUntilAsync(() => time.CountDueIn(Renewal) == 1, "the renewal waits for its time");
        time.Advance(Renewal);
        await TestCluster.WaitUntilAsync(() => Volatile.Read(ref renewed) is not null, "the lease is renewed");
        Assert.True(lease.IsHeld);
        time.Advance((Short * 7 / 8) - Renewal);
        Assert.False(lease.IsHeld);
        Assert.True(lease.Lost.IsCancellationRequested);
        Volatile.Write(ref isAnswered, true);
        await lease.DisposeAsync();
        await using var next = await cluster[1].Node.Leases.TryAcquireAsync(Name, Long, Token);
        Assert.True(next?.FencingToken > lease.FencingToken);
    }

    [Fact]
    public async Task Acquisition_that_is_confirmed_too_late_to_be_relied_on_is_repeated()
    {
        await using var cluster = await StartAsync(1);
        var time = new ManualTimeProvider();
        int commits = 0;
        await using var taker = TakerOf(cluster[1].Store, time: time, onCommit: async commit =>
        {
            var result = await commit();
            if (Interlocked.Increment(ref commits) == 1)
                time.Advance(LeaseTaker.MinDuration * 7 / 8);
            return result;
        });
        await using var lease = await taker.AcquireAsync(Name, LeaseTaker.MinDuration, Token);
        Assert.Equal((2, 2), (commits, lease.FencingToken));
    }

    [Fact]
    public async Task Acquisition_that_is_confirmed_too_late_and_then_fails_is_released()
    {
        await using var cluster = await StartAsync(1);
        var time = new ManualTimeProvider();
        int commits = 0;
        await using var taker = TakerOf(
            cluster[1].Store, time: time, onRead: () => commits == 1 ? throw new TimeoutException() : 0, onCommit: async commit =>
            {
                var result = await commit();
                if (Interlocked.Increment(ref commits) == 1)
                    time.Advance(Long);
                return result;
            });
        await Assert.ThrowsAsync<TimeoutException>(() => taker.AcquireAsync(Name, Long, Token));
        await using var lease = await cluster[1].Node.Leases.AcquireAsync(Name, Long, Token).WaitAsync(TestCluster.Deadline, Token);
        Assert.Equal(2, lease.FencingToken);
    }

    [Fact]
    public async Task Acquisition_during_which_the_sequence_is_founded_anew_is_repeated_with_a_greater_token()
    {
        await using var cluster = await StartAsync(1);
        long floor = 0;
        int commits = 0;
        await using var taker = TakerOf(cluster[1].Store, tokenFloor: () => floor, onCommit: commit =>
        {
            commits++;
            floor = 1_000;
            return commit();
        });
        await using var lease = await taker.AcquireAsync(Name, Long, Token);
        Assert.Equal((2, 1_001), (commits, lease.FencingToken));
    }

    [Fact]
    public async Task Lease_is_not_taken_after_a_founding_before_its_duration_has_passed_since()
    {
        await using var cluster = await StartAsync(1);
        var time = new ManualTimeProvider();
        long floor = 0;
        await using var taker = TakerOf(cluster[1].Store, time: time, tokenFloor: () => floor);
        await PutAsync(cluster[1].Store, LeaseRecord.Of(Guid.NewGuid(), Short, before: null, tokenFloor: 0));
        Assert.Null(await taker.TryAcquireAsync(Name, Short, Token));
        time.Advance(Short);
        // The founding may have lost a renewal of the holder.
        floor = 1_000;
        Assert.Null(await taker.TryAcquireAsync(Name, Short, Token));
        time.Advance(Short);
        await using var lease = await taker.TryAcquireAsync(Name, Short, Token);
        Assert.Equal(1_001, lease?.FencingToken);
    }

    [Fact]
    public async Task Tokens_continue_to_grow_if_the_voters_that_knew_the_last_ones_are_lost()
    {
        await using var cluster = await StartAsync(3);
        await using (await cluster[1].Node.Leases.AcquireAsync(Name, Long, Token))
        {
            // Node 1 knows this one.
        }
        cluster[1].Transport.Cut();
        long last = 0;
        for (int i = 0; i < 5; i++)
        {
            await using var lease = await RetryAsync(() => cluster[2].Node.Leases.AcquireAsync(Name, Long, Token));
            last = lease.FencingToken;
        }
        await cluster[2].Node.StopAbruptlyAsync();
        await cluster[3].Node.StopAbruptlyAsync();
        cluster[1].Transport.Heal();
        Assert.True((await ReadAsync(cluster[1].Store)).Token < last);
        await cluster[1].Store.RetireAsync(2, Token);
        await cluster[1].Store.RetireAsync(3, Token);
        await TestCluster.WaitUntilAsync(async () =>
        {
            try
            {
                await cluster[1].Store.RecoverSerialAsync(Token);
                return true;
            }
            catch (InvalidOperationException)
            {
                return false;
            }
        }, "the serial transactions begin anew");
        await using var next = await cluster[1].Node.Leases.AcquireAsync(Name, Long, Token).WaitAsync(TestCluster.Deadline, Token);
        Assert.True(next.FencingToken > last);
        await next.DisposeAsync();
        await using var later = await cluster[1].Node.Leases.AcquireAsync(Name, Long, Token);
        Assert.Equal(next.FencingToken + 1, later.FencingToken);
    }

    [Fact]
    public async Task Lease_that_cannot_be_released_without_a_majority_is_logged_with_the_reason_and_without_a_stack_trace()
    {
        const string message = $"The lease '{Name}' could not be released, and expires after its duration: Serial requires 2 of 2 voters (nodes 1 and 2), but";
        await using var cluster = await StartAsync(2);
        var lease = await cluster[1].Node.Leases.AcquireAsync(Name, Long, Token);
        await cluster[2].Node.StopAbruptlyAsync();
        await TestCluster.WaitUntilAsync(() => !cluster[1].Store.RequirementOf(Consistency.Serial).IsReachable, "the majority is known to be gone");

        await lease.DisposeAsync();

        await cluster[1].Log.WaitUntilAsync(message);
        Assert.DoesNotContain(cluster[1].Log.Exceptions, static logged => logged.Message.StartsWith(message, StringComparison.Ordinal));
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
    public async Task Name_with_zero_characters_is_that_of_a_lease_of_its_own_and_refused_if_its_key_would_be_too_long()
    {
        await using var cluster = await StartAsync(1);
        string name = new string('x', 163) + new string('\0', 37);
        await using var lease = await cluster[1].Node.Leases.TryAcquireAsync(name, Long, Token);
        await using var other = await cluster[1].Node.Leases.TryAcquireAsync(name[..^1], Long, Token);
        Assert.True(lease?.IsHeld);
        Assert.True(other?.IsHeld);
        Assert.Null(await cluster[1].Node.Leases.TryAcquireAsync(name, Long, Token));
        var e = await Assert.ThrowsAsync<ArgumentException>(() => cluster[1].Node.Leases.AcquireAsync(new string('\0', 200), Long, Token));
        Assert.Contains("has 200 zero characters. Each of them takes two bytes in the key of the lease's document, which would have ", e.Message, StringComparison.Ordinal);
        Assert.Contains("the limit is 240. Use a name with fewer zero characters.", e.Message, StringComparison.Ordinal);
        Assert.Equal("name", e.ParamName);
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

    /// <summary>Repeats what fails while a new sequencer is elected.</summary>
    static async Task<T> RetryAsync<T>(Func<Task<T>> acquire)
    {
        while (true)
        {
            try
            {
                return await acquire();
            }
            catch (NotEnoughNodesException)
            {
                await Task.Yield();
            }
        }
    }

    static async Task<LeaseRecord> ReadAsync(ReplicatedStore store) => LeaseRecord.Of(await store.Keyspace(LeaseRegister.Keyspace).GetAsync(Name, Token))!;

    static async Task PutAsync(ReplicatedStore store, LeaseRecord record)
    {
        await DeclareAsync(store, Token);
        var transaction = new Transaction();
        transaction.Put(LeaseRegister.Keyspace, Name, record.Content);
        await store.CommitSerialAsync(new SerialTransaction(transaction, []), Token);
    }

    static ValueTask DeclareAsync(ReplicatedStore store, CancellationToken token) => store.DeclareAsync(new KeyspaceDeclaration(LeaseRegister.Keyspace, MergePolicy.Serial, []), token);

    /// <summary>Returns a taker of leases with a clock of the test, whose commits, reads and watches go through functions of the test.</summary>
    static LeaseTaker TakerOf(
        ReplicatedStore store, Func<Func<Task<CommitResult>>, Task<CommitResult>>? onCommit = null, Action? onWatch = null, Func<int>? onRead = null, Func<long>? tokenFloor = null,
        TimeProvider? time = null) => new(
            new LeaseRegister(
                async (key, token) =>
                {
                    var document = await store.Keyspace(LeaseRegister.Keyspace).GetAsync(key, Consistency.Serial, token);
                    onRead?.Invoke();
                    return document;
                },
                async (transaction, token) => onCommit is null
                    ? await store.CommitSerialAsync(transaction, token)
                    : await onCommit(() => store.CommitSerialAsync(transaction, token).AsTask()),
                token =>
                {
                    onWatch?.Invoke();
                    return store.Keyspace(LeaseRegister.Keyspace).WatchAsync(WatchPosition.Now, token);
                },
                tokenFloor ?? (static () => 0),
                Patience,
                time ?? store.Node.TimeProvider,
                NullLogger.Instance),
            token => DeclareAsync(store, token));

    static async Task<TestCluster> StartAsync(int count)
    {
        var cluster = await TestCluster.StartAsync(count);
        await TestCluster.WaitUntilAsync(
            () => cluster.Stores.All(store => store.SerialStatus is { Sequencer: not null } status && status.VoterCount == count), "all nodes vote, and there is a sequencer");
        return cluster;
    }
}
