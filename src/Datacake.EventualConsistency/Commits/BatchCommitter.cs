using System.Runtime.ExceptionServices;
using Datacake.EventualConsistency.Diagnostics;
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
    readonly Queue<CommitWork> _later = [];     // of a full storage, what is tried after what makes room
    readonly Queue<CommitWork> _alone = [];     // and what is tried one by one
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
        _failure = null;
        if (IsFull)
            await CommitToFullAsync(waiting, cancellationToken).ConfigureAwait(false);
        else
            await CommitAllAsync(waiting, cancellationToken).ConfigureAwait(false);
        ThrowFailure();
    }

    /// <summary>Commits all as one batch, if there is room; else those of them for which there is.</summary>
    async ValueTask CommitAllAsync(IEnumerable<CommitWork> works, CancellationToken cancellationToken) =>
        await CommitInReserveAsync(await TryCommitAsync(works, Attempt.All, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    /// <summary>Commits what makes room first, by itself: what will fail must not take it with it.</summary>
    async ValueTask CommitToFullAsync(IEnumerable<CommitWork> works, CancellationToken cancellationToken)
    {
        var small = new List<CommitWork>();
        var waitingPeers = new HashSet<byte>();
        foreach (var work in works)
        {
            // A part of an answer that overtakes the one before it counts as lost, and the whole answer with it.
            bool isInTurn = work.Peer is not { } peer || !waitingPeers.Contains(peer);
            if (work.MayUseReserve && isInTurn)
            {
                small.Add(work);
                continue;
            }
            _later.Enqueue(work);
            if (work.Peer is { } waiting)
                waitingPeers.Add(waiting);
        }
        await CommitInReserveAsync([.. small], cancellationToken).ConfigureAwait(false);
        CommitWork[] large = [.. _later];
        _later.Clear();
        if (large.Length > 0 || small.Count == 0)
            await CommitAllAsync(large, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>True if the storage had no room for the last batch that it was asked to store, but for what makes room.</summary>
    bool IsFull => _storageFailure is StorageException { Error: StorageError.Full };

    /// <summary>Commits deletes and the like to a full storage. A large one, for which there is no room, does not keep others from it.</summary>
    async ValueTask CommitInReserveAsync(CommitWork[] works, CancellationToken cancellationToken)
    {
        if (works.Length == 0)
            return;
        foreach (var work in await TryCommitAsync(works, Attempt.Reserve, cancellationToken).ConfigureAwait(false))
            _alone.Enqueue(work);
        while (_alone.TryDequeue(out var work))
            await TryCommitAsync([work], Attempt.ReserveAlone, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Says how work is tried to be committed.</summary>
    enum Attempt
    {
        /// <summary>All that waits, as one batch.</summary>
        All,

        /// <summary>All that may use the reserve of a full storage, as one batch.</summary>
        Reserve,

        /// <summary>One work of these.</summary>
        ReserveAlone,
    }

    /// <summary>Commits what waits as one batch, or fails it. Returns what is to be tried again, because the storage has no room for all of it.</summary>
    async ValueTask<CommitWork[]> TryCommitAsync(IEnumerable<CommitWork> waiting, Attempt attempt, CancellationToken cancellationToken)
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
            {
                write.MayUseReserve |= attempt != Attempt.All;
                await storage.CommitAsync(write, mustFlush ? Durability.Flushed : durability, CancellationToken.None).ConfigureAwait(false);
                // What has gone into the reserve does not show that there is room for more.
                if (!write.MayUseReserve)
                    OnRoom();
            }
            replica.Complete(batch);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            FailAll(CommitLoop.Closed());
            foreach (var work in _later.Concat(_alone))
                Tell(work.OnFailed, CommitLoop.Closed());
            throw;
        }
        catch (Exception e)
        {
            _isAbandoned = true;
            bool isKnown = IsFull;
            _storageFailure = e;
            EndSessions();
            CommitWork[] again = IsFull ? TakeForNext(attempt) : [];
            int count = _applied.Count + _waiting.Count;
            FailAll(e);
            // Callers are told each time that the storage is full, and the log once.
            if (!isKnown || !IsFull)
                StoreLog.CommitFailed(logger, e, storage.Description, count);
            return again;
        }
        EndSessions();
        foreach (var work in _applied)
            Tell(static work => work.OnCommitted(), work);
        Tell(onCommitted, batch);
        return [];
    }

    void OnRoom()
    {
        if (IsFull)
            StoreLog.HasRoom(logger, storage.Description);
        _storageFailure = null;
    }

    /// <summary>Takes what is applied, and can be tried in another way.</summary>
    CommitWork[] TakeForNext(Attempt failed)
    {
        CommitWork[] again = failed switch
        {
            Attempt.All => [.. _applied.Where(static work => work.MayUseReserve)],
            Attempt.Reserve when _applied.Count > 1 => [.. _applied],
            _ => [],
        };
        if (again.Length > 0)
            _applied.RemoveAll(static work => work.MayUseReserve);
        return again;
    }

    async ValueTask<ReplicaBatch> ApplyAsync(CancellationToken cancellationToken)
    {
        using var snapshot = await storage.OpenSnapshotAsync(CancellationToken.None).ConfigureAwait(false);
        if (_isAbandoned)
            await replica.AbandonAsync(snapshot, isUnchanged: IsFull).ConfigureAwait(false);
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
