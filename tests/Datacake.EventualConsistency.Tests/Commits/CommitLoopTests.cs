using Datacake.Crdt;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.EventualConsistency.Tests.Commits;

/// <summary>The one writer of a store, with callbacks that throw.</summary>
public sealed class CommitLoopTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    public static TheoryData<string> Failures => ["canceled", "disposed", "invalid"];

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Loop_continues_whatever_observers_callers_and_the_log_throw(string kind)
    {
        int observed = 0;
        await using var loop = await StartAsync(_ =>
        {
            observed++;
            throw FailureOf(kind);
        }, new ThrowingLogger(() => FailureOf(kind)));
        for (int i = 1; i <= 3; i++)
        {
            var throwing = new ObservedWork(() => throw FailureOf(kind));
            Assert.True(loop.TryPost(throwing));
            Assert.True(await loop.RunAsync((_, _) => ValueTask.FromResult(true), Canceled).AsTask().WaitAsync(TestCluster.Deadline, Canceled));
            await throwing.Done.WaitAsync(TestCluster.Deadline, Canceled);
        }
        Assert.InRange(observed, 1, 6);
    }

    [Fact]
    public async Task Work_that_shares_a_batch_with_throwing_work_is_completed()
    {
        await using var loop = await StartAsync(_ => { }, NullLogger.Instance);
        var gate = new TaskCompletionSource();
        var holding = loop.RunAsync(async (_, _) =>
        {
            await gate.Task;
            return true;
        }, Canceled).AsTask();
        ObservedWork[] works = [new(() => throw new OperationCanceledException()), new(() => { }), new(() => throw new IOException()), new(() => { })];
        Assert.All(works, work => Assert.True(loop.TryPost(work)));
        gate.SetResult();
        await holding.WaitAsync(TestCluster.Deadline, Canceled);
        await Task.WhenAll(works.Select(work => work.Done)).WaitAsync(TestCluster.Deadline, Canceled);
    }

    [Fact]
    public async Task Storage_is_not_blamed_for_an_error_that_it_did_not_report()
    {
        var log = new CollectingLog();
        await using var loop = await StartAsync(_ => { }, log);
        await Assert.ThrowsAsync<NullReferenceException>(async () => await loop.RunAsync((batch, _) =>
        {
            batch.State = null!;
            return ValueTask.FromResult(true);
        }, Canceled).AsTask().WaitAsync(TestCluster.Deadline, Canceled));
        await log.WaitUntilAsync("unexpected error");
        Assert.False(log.Contains("refused"));
        Assert.Null(loop.StorageFailure);
    }

    [Fact]
    public async Task Queued_work_ends_when_the_loop_closes_even_if_other_work_throws()
    {
        var loop = await StartAsync(_ => { }, NullLogger.Instance);
        var gate = new TaskCompletionSource();
        var holding = loop.RunAsync(async (_, _) =>
        {
            await gate.Task;
            return true;
        }, Canceled).AsTask();
        await Eventually.WaitUntilAsync(() => loop.TryPost(new ObservedWork(() => throw new IOException())), "there is room");
        var waiting = Enumerable.Range(0, 10).Select(_ => loop.RunAsync((_, _) => ValueTask.FromResult(true), Canceled).AsTask()).ToArray();
        var closing = loop.DisposeAsync().AsTask();
        gate.SetResult();
        await closing.WaitAsync(TestCluster.Deadline, Canceled);
        foreach (var work in waiting.Prepend(holding))
            Assert.True(await Record.ExceptionAsync(() => work.WaitAsync(TestCluster.Deadline, Canceled)) is null or ObjectDisposedException);
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await loop.RunAsync((_, _) => ValueTask.FromResult(true), Canceled));
    }

    [Fact]
    public async Task Store_continues_when_its_log_throws_a_cancellation_for_each_message()
    {
        // The node logs through the same log and would not survive an exception from it, so only messages about sessions throw.
        bool isOpen = false;
        var log = new CollectingLog { Logging = message => _ = isOpen && message.Contains("session", StringComparison.Ordinal) ? throw new OperationCanceledException(message) : 0 };
        await using var cluster = new TestCluster();
        await cluster.AddAsync(1);
        await cluster.AddAsync(2, log: log);
        isOpen = true;
        await cluster.WaitUntilConnectedAsync();
        for (int i = 0; i < 10; i++)
            await cluster[2].Store.Keyspace("cakes").PutAsync(i, "cake"u8.ToArray(), Consistency.All, Canceled);
        cluster[1].Transport.Cut();
        await cluster.WaitUntilAliveAsync(2, 1);
        cluster[1].Transport.Heal();
        await cluster.WaitUntilConnectedAsync();
    }

    static async Task<CommitLoop> StartAsync(Action<ReplicaBatch> onCommitted, ILogger logger)
    {
        var storage = new MemoryStorage();
        using var snapshot = await storage.OpenSnapshotAsync(Canceled);
        var (replica, batch) = await Replica.OpenAsync(
            new ReplicaSettings("cluster", "", 1, 2, TimeProvider.System), new HybridLogicalClock(1, TimeProvider.System), storage, snapshot, Canceled);
        await storage.CommitAsync(replica.Prepare(batch).Batch, Datacake.Storage.Durability.Flushed, Canceled);
        replica.Complete(batch);
        var sequencer = new Sequencer(new SequencerSettings(TimeProvider.System, new Random(1)), replica, await SequenceLog.LoadAsync(snapshot, Canceled));
        return new CommitLoop(replica, storage, new ReplicatedStoreOptions(), TimeProvider.System, logger, onCommitted, _ => { }, sequencer, static _ => { }, failure: null);
    }

    static Exception FailureOf(string kind) => kind switch
    {
        "canceled" => new OperationCanceledException(),
        "disposed" => new ObjectDisposedException("something"),
        _ => new InvalidOperationException(),
    };

    sealed class ObservedWork(Action onCommitted) : CommitWork
    {
        readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Done => _done.Task;

        public override ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public override void OnCommitted()
        {
            _done.TrySetResult();
            onCommitted();
        }

        public override void OnFailed(Exception failure) => _done.TrySetException(failure);
    }

    sealed class ThrowingLogger(Func<Exception> failure) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => throw failure();
    }
}
