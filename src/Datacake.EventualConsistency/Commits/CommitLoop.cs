using System.Threading.Channels;
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

    readonly Replica _replica;
    readonly IStorage _storage;
    readonly Durability _durability;
    readonly ILogger _logger;
    readonly Action<ReplicaBatch> _onCommitted;
    readonly Channel<CommitWork> _work;
    readonly CancellationTokenSource _stopping = new();
    readonly Task _running;

    /// <summary>Starts the loop. <paramref name="onCommitted"/> is called after each commit, on the loop: it sends what the batch says.</summary>
    public CommitLoop(Replica replica, IStorage storage, ReplicatedStoreOptions options, ILogger logger, Action<ReplicaBatch> onCommitted)
    {
        _replica = replica;
        _storage = storage;
        _durability = options.Durability;
        _logger = logger;
        _onCommitted = onCommitted;
        _work = Channel.CreateBounded<CommitWork>(new BoundedChannelOptions(options.MaxPendingCommits) { SingleReader = true });
        _running = Task.Run(RunAsync);
    }

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
    public async ValueTask<T> RunAsync<T>(Func<ReplicaBatch, CancellationToken, ValueTask<T>> apply, CancellationToken cancellationToken = default)
    {
        var work = new AwaitedWork<T>(apply);
        await PostAsync(work, cancellationToken).ConfigureAwait(false);
        return await work.Done.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finishes the batch under way and refuses what waits.</summary>
    public async ValueTask DisposeAsync()
    {
        _work.Writer.TryComplete();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stopping.Dispose();
    }

    async Task RunAsync()
    {
        var applied = new List<CommitWork>();
        try
        {
            while (await _work.Reader.WaitToReadAsync(_stopping.Token).ConfigureAwait(false))
                await RunBatchAsync(applied).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // Stopping: what waits is refused below.
        }
        while (_work.Reader.TryRead(out var work))
            work.OnFailed(Closed());
    }

    async ValueTask RunBatchAsync(List<CommitWork> applied)
    {
        applied.Clear();
        try
        {
            var batch = await WorkAsync(applied).ConfigureAwait(false);
            var (write, mustFlush) = _replica.Prepare(batch);
            if (write.Count > 0)
                await _storage.CommitAsync(write, mustFlush ? Durability.Flushed : _durability).ConfigureAwait(false);
            _replica.Complete(batch);
            foreach (var work in applied)
                work.OnCommitted();
            _onCommitted(batch);
        }
        catch (Exception e) when (e is not OperationCanceledException || !_stopping.IsCancellationRequested)
        {
            await AbandonAsync(applied, e).ConfigureAwait(false);
        }
    }

    async ValueTask<ReplicaBatch> WorkAsync(List<CommitWork> applied)
    {
        using var snapshot = await _storage.OpenSnapshotAsync().ConfigureAwait(false);
        var batch = _replica.Begin(snapshot);
        await _replica.ReconcileAsync(batch, _stopping.Token).ConfigureAwait(false);
        for (int i = 0; i < MaxWorkPerBatch && _work.Reader.TryRead(out var work); i++)
        {
            try
            {
                await work.ApplyAsync(batch, _stopping.Token).ConfigureAwait(false);
                applied.Add(work);
            }
            catch (Exception e)
            {
                work.OnFailed(e is OperationCanceledException ? Closed() : e);
            }
        }
        return batch;
    }

    async ValueTask AbandonAsync(List<CommitWork> applied, Exception failure)
    {
        StoreLog.CommitFailed(_logger, failure, _storage.Description, applied.Count);
        foreach (var work in applied)
            work.OnFailed(failure);
        try
        {
            using var snapshot = await _storage.OpenSnapshotAsync().ConfigureAwait(false);
            await _replica.AbandonAsync(snapshot).ConfigureAwait(false);
        }
        catch (StorageException e)
        {
            StoreLog.CommitFailed(_logger, e, _storage.Description, 0);
        }
    }

    static ObjectDisposedException Closed() => new(nameof(ReplicatedStore), "The store is closed, or is closing.");
}
