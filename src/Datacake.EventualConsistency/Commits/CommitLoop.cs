using System.Threading.Channels;
using Datacake.EventualConsistency.Caching;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Commits;

/// <summary>
/// The one writer of a store. It takes everything that waits, works on one batch with it, and commits that as one storage batch, so that a durable
/// write is paid for once however many callers wait for it.
/// </summary>
sealed class CommitLoop : IAsyncDisposable
{
    const int MaxWorkPerBatch = 4_096;

    readonly BatchCommitter _committer;
    readonly Channel<CommitWork> _work;
    readonly CancellationTokenSource _stopping = new();
    readonly ILogger _logger;
    readonly Task _running;

    // Those whom the last batch has let go stand in the pool's queue, and have mostly committed again by the time that it comes to what is behind
    // them. To wait for them pays where a commit costs much by itself, whatever is in it; in memory the processors have better to do.
    readonly bool _waitsForMore;
    int _letGo;                         // by the last batch; on the loop

    /// <summary>Starts the loop, which calls <paramref name="onCommitted"/> and <paramref name="onSessionsEnded"/> as <see cref="BatchCommitter"/> says.</summary>
    /// <param name="replica">The replica.</param>
    /// <param name="storage">Its storage.</param>
    /// <param name="options">The settings of the store.</param>
    /// <param name="logger">Where failures are logged.</param>
    /// <param name="onCommitted">Is told of each committed batch.</param>
    /// <param name="onSessionsEnded">Is told of the sessions that the replica has ended.</param>
    /// <param name="failure">Why the storage has refused the replica's first batch, or null if it has not.</param>
    public CommitLoop(
        Replica replica, IStorage storage, ReplicatedStoreOptions options, ILogger logger, Action<ReplicaBatch> onCommitted,
        Action<IReadOnlyList<EndedSession>> onSessionsEnded, StorageException? failure)
    {
        _committer = new BatchCommitter(replica, storage, options.Durability, logger, onCommitted, onSessionsEnded);
        if (failure is not null)
            _committer.StartAbandoned(failure);
        _work = Channel.CreateBounded<CommitWork>(new BoundedChannelOptions(options.MaxPendingCommits) { SingleReader = true });
        _logger = logger;
        _waitsForMore = storage is IDurableStorage or CachedStorage or ChecksummedStorage;
        _running = Task.Run(RunAsync);
    }

    /// <inheritdoc cref="BatchCommitter.StorageFailure"/>
    public Exception? StorageFailure => _committer.StorageFailure;

    /// <summary>Hands work to the loop, unless too much is waiting already or the loop is closed.</summary>
    public bool TryPost(CommitWork work) => _work.Writer.TryWrite(work);

    /// <summary>Hands work to the loop; waits while too much is waiting already.</summary>
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

    /// <summary>Hands work to the loop and waits until it is committed.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public ValueTask<T> RunAsync<T>(Func<ReplicaBatch, CancellationToken, ValueTask<T>> apply, CancellationToken cancellationToken = default) =>
        RunAsync(new AwaitedWork<T>(apply, mayUseReserve: false), cancellationToken);

    /// <summary>Hands work to the loop that makes room or takes next to none, and waits until it is committed.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public ValueTask<T> RunInReserveAsync<T>(Func<ReplicaBatch, CancellationToken, ValueTask<T>> apply, CancellationToken cancellationToken = default) =>
        RunAsync(new AwaitedWork<T>(apply, mayUseReserve: true), cancellationToken);

    /// <summary>Finishes the batch under way and refuses what waits.</summary>
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
        // Whoever stops the loop completes the channel: to wait without the token costs nothing.
        while (await _work.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false) && !_stopping.IsCancellationRequested)
        {
            if (_waitsForMore && _work.Reader.Count < _letGo)
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
            // Stopping: what waits is refused.
        }
        catch (Exception e)
        {
            // Telling somebody of the batch failed, in whichever way. The loop must not end, for everyone waits for it.
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
            // A log that throws has nobody left to be told.
        }
    }

    IEnumerable<CommitWork> TakeWaiting()
    {
        _letGo = 0;
        for (int i = 0; i < MaxWorkPerBatch && _work.Reader.TryRead(out var work); i++)
        {
            if (work.IsDoneByCommit)
                _letGo++;
            yield return work;
        }
    }

    public static ObjectDisposedException Closed() => new("ReplicatedStore", "The store is closed, or is closing.");
}
