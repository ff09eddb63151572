using System.Threading.Channels;
using Datacake.EventualConsistency.Caching;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Commits;

/// <summary>
/// The one writer of a store. It applies all waiting work to one batch, and commits the batch to the storage as one, so that any number of
/// waiting callers share the cost of a durable write.
/// </summary>
sealed class CommitLoop : IAsyncDisposable
{
    const int MaxWorkPerBatch = 4_096;

    readonly BatchCommitter _committer;
    readonly Channel<CommitWork> _work;
    readonly CancellationTokenSource _stopping = new();
    readonly ILogger _logger;
    readonly Task _running;

    // The callers that the last batch released are in the queue of the thread pool. Most of them have committed again by the time the pool
    // reaches the work that is queued behind them. Waiting for them pays off if a commit is expensive whatever its size, but not in memory.
    readonly bool _waitsForMore;
    int _released;                      // the number of callers that the last batch released; used on the loop alone

    /// <summary>
    /// Starts the loop, which calls <paramref name="onCommitted"/> and <paramref name="onSessionsEnded"/> as <see cref="BatchCommitter"/>
    /// describes.
    /// </summary>
    /// <param name="replica">The replica.</param>
    /// <param name="storage">The storage of the replica.</param>
    /// <param name="options">The settings of the store.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">The log for failures.</param>
    /// <param name="onCommitted">Called after each committed batch.</param>
    /// <param name="onSessionsEnded">Called with the sessions that the replica has ended.</param>
    /// <param name="sequencer">The sequencer of the store.</param>
    /// <param name="onPrepared">Called before each commit.</param>
    /// <param name="failure">The error with which the storage refused the replica's first batch, or null if it did not.</param>
    public CommitLoop(
        Replica replica, IStorage storage, ReplicatedStoreOptions options, TimeProvider time, ILogger logger, Action<ReplicaBatch> onCommitted,
        Action<IReadOnlyList<EndedSession>> onSessionsEnded, Sequencer sequencer, Action<ReplicaBatch> onPrepared,
        StorageException? failure)
    {
        _committer = new BatchCommitter(replica, storage, options.Durability, time, logger, onCommitted, onSessionsEnded, sequencer, onPrepared);
        if (failure is not null)
            _committer.StartAbandoned(failure);
        _work = Channel.CreateBounded<CommitWork>(new BoundedChannelOptions(options.MaxPendingCommits) { SingleReader = true });
        _logger = logger;
        _waitsForMore = storage is IDurableStorage or CachedStorage or ChecksummedStorage;
        _running = Task.Run(RunAsync);
    }

    /// <inheritdoc cref="BatchCommitter.StorageFailure"/>
    public Exception? StorageFailure => _committer.StorageFailure;

    /// <summary>Gets the task that ends with the loop, once the last batch is committed and all waiting work is refused. It does not fail.</summary>
    public Task Ended => _running;

    /// <summary>
    /// Posts work to the loop, unless too much work is waiting or the loop is closed. Returns true if the work was posted.
    /// </summary>
    public bool TryPost(CommitWork work) => _work.Writer.TryWrite(work);

    /// <summary>Posts work to the loop. Waits while too much work is waiting already.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public async ValueTask PostAsync(CommitWork work, CancellationToken cancellationToken = default)
    {
        try
        {
            await _work.Writer.WriteAsync(work, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw Closed();
        }
    }

    /// <summary>Runs work on the loop and waits until it is committed.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public ValueTask<T> RunAsync<T>(Func<ReplicaBatch, CancellationToken, ValueTask<T>> apply, CancellationToken cancellationToken = default) =>
        RunAsync(new AwaitedWork<T>(apply, mayUseReserve: false), cancellationToken);

    /// <summary>Runs work that makes room, or takes almost none, on the loop and waits until it is committed.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public ValueTask<T> RunInReserveAsync<T>(Func<ReplicaBatch, CancellationToken, ValueTask<T>> apply, CancellationToken cancellationToken = default) =>
        RunAsync(new AwaitedWork<T>(apply, mayUseReserve: true), cancellationToken);

    /// <summary>Finishes the current batch and refuses the waiting work.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        _work.Writer.TryComplete();
        await _running.ConfigureAwait(false);
        _stopping.Dispose();
    }

    async ValueTask<T> RunAsync<T>(AwaitedWork<T> work, CancellationToken cancellationToken)
    {
        await PostAsync(work, cancellationToken).ConfigureAwait(false);
        return await work.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    async Task RunAsync()
    {
        // Stopping the loop completes the channel, so the wait does not need the token.
        while (await _work.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false) && !_stopping.IsCancellationRequested)
        {
            if (_waitsForMore && _work.Reader.Count < _released)
                await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await CommitWaitingAsync().ConfigureAwait(false);
        }
        while (_work.Reader.TryRead(out var work))
            Guard(static work => work.OnFailed(Closed()), work);
    }

    async ValueTask CommitWaitingAsync()
    {
        try
        {
            await _committer.CommitAsync(TakeWaiting(), _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The loop is stopping. The waiting work is refused after the loop.
        }
        catch (Exception e)
        {
            // A callback has failed. The loop must not end, because all callers wait for it.
            Guard(e => StoreLog.CommitNotTold(_logger, e), e);
        }
    }

    static void Guard<T>(Action<T> action, T argument)
    {
        try
        {
            action(argument);
        }
        catch
        {
            // There is nothing left to which the failure of a callback or of the log could be reported.
        }
    }

    IEnumerable<CommitWork> TakeWaiting()
    {
        _released = 0;
        for (int i = 0; i < MaxWorkPerBatch && _work.Reader.TryRead(out var work); i++)
        {
            if (work.IsDoneByCommit)
                _released++;
            yield return work;
        }
    }

    public static ObjectDisposedException Closed() => new("ReplicatedStore", "The store is closed, or is closing.");
}
