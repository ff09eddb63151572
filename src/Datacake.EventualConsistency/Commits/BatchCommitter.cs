using System.Runtime.ExceptionServices;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Commits;

/// <summary>
/// Works on one batch after the other and commits each as one storage batch: what the commit loop repeats. Used by one caller at a time.
/// </summary>
/// <param name="replica">The replica.</param>
/// <param name="storage">Its storage.</param>
/// <param name="durability">What a commit survives, unless the replica asks for more.</param>
/// <param name="logger">The log.</param>
/// <param name="onCommitted">Called after each commit: sends what the batch says.</param>
/// <param name="onSessionsEnded">
/// Called after each batch, committed or not, in which the replica has ended sessions: ends their streams. Without it the caller takes them.
/// </param>
sealed class BatchCommitter(
    Replica replica, IStorage storage, Durability durability, ILogger logger, Action<ReplicaBatch> onCommitted,
    Action<IReadOnlyList<EndedSession>>? onSessionsEnded = null)
{
    readonly Queue<CommitWork> _waiting = [];
    readonly List<CommitWork> _applied = [];
    bool _isAbandoned;                  // the last batch was: the replica has yet to go back to what is stored
    volatile Exception? _storageFailure;
    Exception? _failure;                // the first that somebody who was told of a batch has thrown

    /// <summary>Why the last batch that had something to store could not be committed, or null if it was. Any thread may read it.</summary>
    public Exception? StorageFailure => _storageFailure;

    /// <summary>Starts with a batch that the storage has refused.</summary>
    public void StartAbandoned(Exception failure)
    {
        _isAbandoned = true;
        _storageFailure = failure;
    }

    /// <summary>Applies the work and commits it; work that cannot be applied fails alone, and the rest counts.</summary>
    /// <remarks>Everyone is told of the outcome, whatever others throw that are told of it. The first exception of these is thrown at the end.</remarks>
    /// <exception cref="OperationCanceledException">Cancelled before the commit.</exception>
    public async ValueTask CommitAsync(IEnumerable<CommitWork> waiting, CancellationToken cancellationToken = default)
    {
        _applied.Clear();
        _failure = null;
        foreach (var work in waiting)
            _waiting.Enqueue(work);
        ReplicaBatch batch;
        try
        {
            batch = await ApplyAsync(cancellationToken).ConfigureAwait(false);
            var (write, mustFlush) = replica.Prepare(batch);
            if (write.Count > 0)
            {
                await storage.CommitAsync(write, mustFlush ? Durability.Flushed : durability, CancellationToken.None).ConfigureAwait(false);
                _storageFailure = null;
            }
            replica.Complete(batch);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            FailAll(CommitLoop.Closed());
            throw;
        }
        catch (Exception e)
        {
            int count = _applied.Count + _waiting.Count;
            _isAbandoned = true;
            _storageFailure = e;
            EndSessions();
            FailAll(e);
            StoreLog.CommitFailed(logger, e, storage.Description, count);
            ThrowFailure();
            return;
        }
        EndSessions();
        foreach (var work in _applied)
            Tell(static work => work.OnCommitted(), work);
        Tell(onCommitted, batch);
        ThrowFailure();
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
                bool isClosing = e is OperationCanceledException && cancellationToken.IsCancellationRequested;
                Tell(work.OnFailed, isClosing ? CommitLoop.Closed() : e);
            }
        }
        return batch;
    }

    void FailAll(Exception failure)
    {
        foreach (var work in _applied)
            Tell(work.OnFailed, failure);
        while (_waiting.TryDequeue(out var work))
            Tell(work.OnFailed, failure);
    }

    void EndSessions()
    {
        if (onSessionsEnded is not null && replica.TakeEnded() is { Count: > 0 } ended)
            Tell(onSessionsEnded, ended);
    }

    void Tell<T>(Action<T> tell, T what)
    {
        try
        {
            tell(what);
        }
        catch (Exception e)
        {
            _failure ??= e;
        }
    }

    void ThrowFailure()
    {
        if (_failure is { } failure)
            ExceptionDispatchInfo.Throw(failure);
    }
}
