using Datacake.EventualConsistency.Replication;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Commits;

/// <summary>
/// Works on one batch after the other and commits each as one storage batch: what the commit loop repeats. After each commit it calls
/// <paramref name="onCommitted"/>, which sends what the batch says. Used by one caller at a time.
/// </summary>
sealed class BatchCommitter(Replica replica, IStorage storage, Durability durability, ILogger logger, Action<ReplicaBatch> onCommitted)
{
    readonly List<CommitWork> _applied = [];

    /// <summary>Applies the work and commits it; work that cannot be applied fails alone, and the rest counts.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before the commit.</exception>
    public async ValueTask CommitAsync(IEnumerable<CommitWork> waiting, CancellationToken cancellationToken = default)
    {
        _applied.Clear();
        ReplicaBatch batch;
        try
        {
            batch = await ApplyAsync(waiting, cancellationToken).ConfigureAwait(false);
            var (write, mustFlush) = replica.Prepare(batch);
            if (write.Count > 0)
                await storage.CommitAsync(write, mustFlush ? Durability.Flushed : durability, CancellationToken.None).ConfigureAwait(false);
            replica.Complete(batch);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            await AbandonAsync(e).ConfigureAwait(false);
            return;
        }
        foreach (var work in _applied)
            work.OnCommitted();
        onCommitted(batch);
    }

    async ValueTask<ReplicaBatch> ApplyAsync(IEnumerable<CommitWork> waiting, CancellationToken cancellationToken)
    {
        using var snapshot = await storage.OpenSnapshotAsync(CancellationToken.None).ConfigureAwait(false);
        var batch = replica.Begin(snapshot);
        await replica.ReconcileAsync(batch, cancellationToken).ConfigureAwait(false);
        foreach (var work in waiting)
        {
            try
            {
                await work.ApplyAsync(batch, cancellationToken).ConfigureAwait(false);
                _applied.Add(work);
            }
            catch (Exception e)
            {
                work.OnFailed(e is OperationCanceledException ? CommitLoop.Closed() : e);
            }
        }
        return batch;
    }

    async ValueTask AbandonAsync(Exception failure)
    {
        StoreLog.CommitFailed(logger, failure, storage.Description, _applied.Count);
        foreach (var work in _applied)
            work.OnFailed(failure);
        try
        {
            using var snapshot = await storage.OpenSnapshotAsync(CancellationToken.None).ConfigureAwait(false);
            await replica.AbandonAsync(snapshot).ConfigureAwait(false);
        }
        catch (StorageException e)
        {
            StoreLog.CommitFailed(logger, e, storage.Description, 0);
        }
    }
}
