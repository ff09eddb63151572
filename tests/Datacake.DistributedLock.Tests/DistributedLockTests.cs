using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Datacake.EventualConsistency;
using Datacake.Tests;
using Medallion.Threading;

namespace Datacake.DistributedLock.Tests;

public sealed class DistributedLockTests
{
    const string Name = "nightly report";

    static readonly TimeSpan Short = TimeSpan.FromSeconds(1), Long = TimeSpan.FromDays(1), Moment = TimeSpan.FromMilliseconds(50);

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Twenty_tasks_on_three_nodes_hold_the_lock_one_at_a_time()
    {
        const int tasks = 20, rounds = 3;
        await using var cluster = await LockCluster.StartAsync(3, Long);
        int holders = 0;
        var tokens = new ConcurrentQueue<long>();
        await Task.WhenAll(Enumerable.Range(0, tasks).Select(task => Task.Run(async () =>
        {
            for (int round = 0; round < rounds; round++)
            {
                await using var handle = await cluster[1 + (task % 3)].Locks.CreateLock(Name).AcquireAsync(cancellationToken: Canceled);
                Assert.Equal(1, Interlocked.Increment(ref holders));
                await Task.Yield();
                tokens.Enqueue(handle.FencingToken);
                Assert.False(handle.HandleLostToken.IsCancellationRequested);
                Interlocked.Decrement(ref holders);
            }
        }, Canceled))).WaitAsync(Eventually.Deadline, Canceled);
        Assert.Equal(tasks * rounds, tokens.Count);
        Assert.Equal(tokens.Distinct().Order(), tokens);
    }

    [Fact]
    public async Task Attempt_returns_null_while_somebody_else_holds_the_lock_and_succeeds_after_the_release()
    {
        await using var cluster = await LockCluster.StartAsync(3, Long);
        var handle = await cluster[1].Locks.CreateLock(Name).AcquireAsync(cancellationToken: Canceled);
        for (int node = 1; node <= 3; node++)
        {
            Assert.Null(await cluster[node].Locks.CreateLock(Name).TryAcquireAsync(cancellationToken: Canceled));
            Assert.Null(await cluster[node].Locks.CreateLock(Name).TryAcquireAsync(Moment, Canceled));
        }
        await handle.DisposeAsync();
        await using var next = await cluster[2].Locks.CreateLock(Name).TryAcquireAsync(cancellationToken: Canceled);
        Assert.True(next?.FencingToken > handle.FencingToken);
    }

    [Fact]
    public async Task Acquisition_that_is_too_late_throws_a_timeout_exception_that_names_the_lock()
    {
        await using var cluster = await LockCluster.StartAsync(1, Long);
        var wanted = cluster[1].Locks.CreateLock(Name);
        await using var handle = await wanted.AcquireAsync(Eventually.Deadline, Canceled);
        var e = await Assert.ThrowsAsync<TimeoutException>(async () => await wanted.AcquireAsync(Moment, Canceled));
        Assert.Equal("The lock 'nightly report' was not acquired within 0.05 s, because somebody else holds it. Retry, or wait for longer.", e.Message);
        await Assert.ThrowsAsync<TimeoutException>(async () => await wanted.AcquireAsync(TimeSpan.Zero, Canceled));
    }

    [Fact]
    public async Task Acquisition_without_a_limit_ends_with_the_release_or_a_cancellation()
    {
        await using var cluster = await LockCluster.StartAsync(3, Long);
        var handle = await cluster[1].Locks.CreateLock(Name).AcquireAsync(cancellationToken: Canceled);
        using var canceling = CancellationTokenSource.CreateLinkedTokenSource(Canceled);
        var impatient = cluster[2].Locks.CreateLock(Name).AcquireAsync(cancellationToken: canceling.Token).AsTask();
        var patient = cluster[3].Locks.CreateLock(Name).TryAcquireAsync(Timeout.InfiniteTimeSpan, Canceled).AsTask();
        await canceling.CancelAsync();
        var e = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => impatient.WaitAsync(Eventually.Deadline, Canceled));
        Assert.Equal(canceling.Token, e.CancellationToken);
        Assert.False(patient.IsCompleted);
        await handle.DisposeAsync();
        await using var next = await patient.WaitAsync(Eventually.Deadline, Canceled);
        Assert.NotNull(next);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await cluster[1].Locks.CreateLock("another").AcquireAsync(cancellationToken: canceling.Token));
    }

    [Fact]
    public async Task Lock_of_a_node_that_is_cut_off_is_lost_before_somebody_else_gets_it()
    {
        await using var cluster = await LockCluster.StartAsync(3, Short);
        var handle = await cluster[3].Locks.CreateLock(Name).AcquireAsync(cancellationToken: Canceled);
        var lost = handle.HandleLostToken;
        bool wasLost = false;
        var waiting = Task.Run(async () =>
        {
            var next = await AcquireAsync(cluster[1].Locks);
            wasLost = lost.IsCancellationRequested;
            return next;
        }, Canceled);
        cluster[3].Transport.Cut();
        await using var next = await waiting.WaitAsync(Eventually.Deadline, Canceled);
        Assert.True(wasLost);
        Assert.True(next.FencingToken > handle.FencingToken);
        await Assert.ThrowsAsync<NotEnoughNodesException>(async () => await cluster[3].Locks.CreateLock(Name).TryAcquireAsync(cancellationToken: Canceled));
        await handle.DisposeAsync();
        Assert.False(next.HandleLostToken.IsCancellationRequested);
    }

    [Fact]
    public async Task Lock_of_a_node_that_has_died_is_taken_over()
    {
        await using var cluster = await LockCluster.StartAsync(3, Short);
        var handle = await cluster[3].Locks.CreateLock(Name).AcquireAsync(cancellationToken: Canceled);
        var lost = handle.HandleLostToken;
        await cluster[3].Node.StopAbruptlyAsync();
        await using var next = await AcquireAsync(cluster[1].Locks).WaitAsync(Eventually.Deadline, Canceled);
        Assert.True(next.FencingToken > handle.FencingToken);
        await Eventually.WaitUntilAsync(() => lost.IsCancellationRequested, "the holder knows that its node has stopped");
        await handle.DisposeAsync();
    }

    [Fact]
    public async Task Lost_token_is_not_canceled_by_the_release()
    {
        await using var cluster = await LockCluster.StartAsync(1, Long);
        var handle = await cluster[1].Locks.CreateLock(Name).AcquireAsync(cancellationToken: Canceled);
        var lost = handle.HandleLostToken;
        Assert.True(lost.CanBeCanceled);
        await handle.DisposeAsync();
        await handle.DisposeAsync();
        handle.Dispose();
        Assert.Throws<ObjectDisposedException>(() => handle.HandleLostToken);
        await cluster[1].Node.DisposeAsync();
        Assert.False(lost.IsCancellationRequested);
    }

    [Fact]
    public async Task Callback_of_the_lost_token_can_dispose_the_handle()
    {
        await using var cluster = await LockCluster.StartAsync(1, Long);
        var handle = await cluster[1].Locks.CreateLock(Name).AcquireAsync(cancellationToken: Canceled);
        var disposed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        handle.HandleLostToken.Register(() =>
        {
            handle.Dispose();
            disposed.SetResult();
        });
        await cluster[1].Node.DisposeAsync();
        await disposed.Task.WaitAsync(Eventually.Deadline, Canceled);
    }

    [Fact]
    public async Task Lock_of_a_forgotten_handle_is_released()
    {
        await using var cluster = await LockCluster.StartAsync(1, Long);
        await ForgetAsync(cluster[1].Locks.CreateLock(Name));
        DatacakeDistributedLockHandle? next = null;
        await Eventually.WaitUntilAsync(async () =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return (next = await cluster[1].Locks.CreateLock(Name).TryAcquireAsync(cancellationToken: Canceled)) is not null;
        }, "the lock is free");
        await next!.DisposeAsync();
    }

    [Fact]
    public async Task Synchronous_methods_do_not_need_the_context_of_their_thread()
    {
        await using var cluster = await LockCluster.StartAsync(3, Long);
        IDistributedLockProvider locks = cluster[1].Locks;
        var worked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            SynchronizationContext.SetSynchronizationContext(new DeafContext());
            try
            {
                using (locks.AcquireLock(Name, cancellationToken: Canceled))
                {
                    Assert.Null(locks.TryAcquireLock(Name, cancellationToken: Canceled));
                    Assert.Throws<TimeoutException>(() => locks.AcquireLock(Name, Moment, Canceled));
                }
                using var handle = locks.TryAcquireLock(Name, Eventually.Deadline, Canceled);
                Assert.NotNull(handle);
                worked.SetResult();
            }
            catch (Exception e)
            {
                worked.SetException(e);
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
        await worked.Task.WaitAsync(Eventually.Deadline, Canceled);
    }

    [Fact]
    public async Task Several_locks_are_acquired_together_or_not_at_all()
    {
        await using var cluster = await LockCluster.StartAsync(1, Long);
        IDistributedLockProvider locks = cluster[1].Locks;
        await using (await locks.AcquireLockAsync("b", cancellationToken: Canceled))
            Assert.Null(await locks.TryAcquireAllLocksAsync(["a", "b"], cancellationToken: Canceled));
        await using (var both = await locks.TryAcquireAllLocksAsync(["a", "b"], cancellationToken: Canceled))
        {
            Assert.NotNull(both);
            Assert.Null(await locks.TryAcquireLockAsync("a", cancellationToken: Canceled));
        }
        await using var alone = await locks.TryAcquireLockAsync("a", cancellationToken: Canceled);
        Assert.NotNull(alone);
    }

    [Theory]
    [InlineData(-2)]
    [InlineData(2_147_483_648)]
    public async Task Timeout_out_of_range_is_refused_with_the_limits(long milliseconds)
    {
        await using var cluster = await LockCluster.StartAsync(1, Long);
        var wanted = cluster[1].Locks.CreateLock(Name);
        var timeout = TimeSpan.FromMilliseconds(milliseconds);
        var e = await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await wanted.AcquireAsync(timeout, Canceled));
        Assert.Contains("Use a time from zero to 24.20:31:23.6470000, or Timeout.InfiniteTimeSpan.", e.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await wanted.TryAcquireAsync(timeout, Canceled));
        Assert.Throws<ArgumentOutOfRangeException>(() => wanted.Acquire(timeout, Canceled));
        Assert.Throws<ArgumentOutOfRangeException>(() => wanted.TryAcquire(timeout, Canceled));
    }

    [Fact]
    public async Task Missing_arguments_and_invalid_settings_are_refused()
    {
        await using var cluster = await LockCluster.StartAsync(1, Long);
        Assert.Throws<ArgumentNullException>(() => cluster[1].Locks.CreateLock(null!));
        Assert.Throws<ArgumentNullException>(() => new DatacakeDistributedLockProvider(null!));
        var e = Assert.Throws<ArgumentException>(() => new DatacakeDistributedLockProvider(cluster[1].Node, static options => options.LeaseDuration = TimeSpan.Zero));
        Assert.Contains("Use a time from 100 ms to 24 hours.", e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new DatacakeDistributedLockProvider(cluster[1].Node, static options => options.LeaseDuration = TimeSpan.FromHours(25)));
    }

    /// <summary>Acquires the lock. While a new sequencer is elected, this may fail.</summary>
    static async Task<DatacakeDistributedLockHandle> AcquireAsync(DatacakeDistributedLockProvider locks)
    {
        while (true)
        {
            try
            {
                return await locks.CreateLock(Name).AcquireAsync(cancellationToken: Canceled);
            }
            catch (NotEnoughNodesException)
            {
                await Task.Yield();
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    static async Task ForgetAsync(DatacakeDistributedLock wanted) => _ = await wanted.AcquireAsync(cancellationToken: Canceled);

    /// <summary>A context like that of a user interface whose thread is blocked: nothing that is posted to it runs.</summary>
    sealed class DeafContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }
}
