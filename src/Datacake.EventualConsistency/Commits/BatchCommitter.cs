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
    readonly Queue<CommitWork> _waiting = [];
    readonly List<CommitWork> _applied = [];
    bool _isAbandoned;                  // the last batch was: the replica has yet to go back to what is stored

    /// <summary>Applies the work and commits it; work that cannot be applied fails alone, and the rest counts.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before the commit.</exception>
    public async ValueTask CommitAsync(IEnumerable<CommitWork> waiting, CancellationToken cancellationToken = default)
    {
        _applied.Clear();
        foreach (var work in waiting)
            _waiting.Enqueue(work);
        ReplicaBatch batch;
        try
        {
            batch = await ApplyAsync(cancellationToken).ConfigureAwait(false);
            var (write, mustFlush) = replica.Prepare(batch);
            if (write.Count > 0)
                await storage.CommitAsync(write, mustFlush ? Durability.Flushed : durability, CancellationToken.None).ConfigureAwait(false);
            replica.Complete(batch);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            FailAll(CommitLoop.Closed());
            throw;
        }
        catch (Exception e)
        {
            StoreLog.CommitFailed(logger, e, storage.Description, _applied.Count + _waiting.Count);
            _isAbandoned = true;
            FailAll(e);
            return;
        }
        foreach (var work in _applied)
            work.OnCommitted();
        onCommitted(batch);
    }

    async ValueTask<ReplicaBatch> ApplyAsync(CancellationToken cancellationToken)
    {
        using var snapshot = await storage.OpenSnapshotAsync(CancellationToken.None).ConfigureAwait(false);
        if (_isAbandoned)
            await replica.AbandonAsync(snapshot).ConfigureAwait(false);
        _isAbandoned = false;
        var batch = replica.Begin(snapshot);
        await replica.ReconcileAsync(batch, cancellationToken).ConfigureAwait(false);
        while (_waiting.TryDequeue(out var work))
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

    void FailAll(Exception failure)
    {
        foreach (var work in _applied)
            work.OnFailed(failure);
        while (_waiting.TryDequeue(out var work))
            work.OnFailed(failure);
    }
}
