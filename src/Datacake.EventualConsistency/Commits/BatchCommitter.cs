using System.Runtime.ExceptionServices;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Commits;

/// <summary>
/// The repeated step of the commit loop: applies work to a batch, and commits the batch to the storage as one. Used by one caller at a
/// time.
/// </summary>
/// <remarks>
/// A durable commit costs about the same whatever its size, so all waiting work shares one. Work that cannot be applied fails alone, before
/// the commit. If the commit itself fails, its outcome is unknown and the replica has already changed in memory: all work of the batch
/// fails, and the replica returns to the stored state before the next batch. Only a full storage is known to have stored nothing, so the
/// work that makes room is then committed by itself.
/// </remarks>
/// <param name="replica">The replica.</param>
/// <param name="storage">The storage of the replica.</param>
/// <param name="durability">The durability of a commit, unless the replica requires more.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">The log.</param>
/// <param name="onCommitted">Called after each commit; sends the messages of the batch.</param>
/// <param name="onSessionsEnded">
/// Called after each batch, committed or not, in which the replica has ended sessions; ends their streams. If it is null, the caller takes
/// the ended sessions from the replica.
/// </param>
/// <param name="sequencer">The sequencer of the store, or null if there is none.</param>
/// <param name="onPrepared">Called before each commit; sends the messages that need not wait for it. Must not throw.</param>
sealed class BatchCommitter(
    Replica replica, IStorage storage, Durability durability, TimeProvider time, ILogger logger, Action<ReplicaBatch> onCommitted,
    Action<IReadOnlyList<EndedSession>>? onSessionsEnded = null, Sequencer? sequencer = null, Action<ReplicaBatch>? onPrepared = null)
{
    readonly Queue<CommitWork> _waiting = [];
    readonly List<CommitWork> _applied = [];
    readonly Queue<CommitWork> _later = [];     // if the storage is full: work that is tried after the work that makes room
    readonly Queue<CommitWork> _alone = [];     // if the storage is full: work that is tried one by one
    readonly FullStorage _full = new(time);
    bool _isAbandoned;                  // the last batch was abandoned, and the replica has yet to return to the stored state
    bool _isUnchanged;                  // the abandoned batch is known to have stored nothing
    bool _isInStorage;                  // a call of the storage is under way, so that any exception is the storage's
    volatile Exception? _storageFailure;
    Exception? _failure;                // the first exception that a callback has thrown

    /// <summary>
    /// Gets the error with which the storage refused the last batch that had something to store; null if it took the batch. The error of a full storage stays until
    /// <see cref="FullStorage"/> says that there is room. May be read by any thread.
    /// </summary>
    public Exception? StorageFailure => _storageFailure;

    /// <summary>Starts with a batch that the storage has refused.</summary>
    public void StartAbandoned(Exception failure)
    {
        _isAbandoned = true;
        _storageFailure = failure;
        _isUnchanged = IsFull;
        if (IsFull)
            _full.OnRefused(0);
    }

    /// <summary>Applies the work and commits it. Work that cannot be applied fails alone, and the rest is committed.</summary>
    /// <remarks>
    /// Every callback is told of the outcome, even if others throw. The first exception of a callback is thrown at the end.
    /// </remarks>
    /// <exception cref="OperationCanceledException">The call was canceled before the commit.</exception>
    public async ValueTask CommitAsync(IEnumerable<CommitWork> waiting, CancellationToken cancellationToken = default)
    {
        _failure = null;
        if (IsFull)
            await CommitToFullAsync(waiting, cancellationToken).ConfigureAwait(false);
        else
            await CommitAllAsync(waiting, cancellationToken).ConfigureAwait(false);
        ThrowFailure();
    }

    /// <summary>Commits all work as one batch. If there is no room for it, commits only the work that may use the reserve.</summary>
    async ValueTask CommitAllAsync(IEnumerable<CommitWork> works, CancellationToken cancellationToken) =>
        await CommitInReserveAsync(await TryCommitAsync(works, Attempt.All, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    /// <summary>Commits the work that makes room first, in its own batch, so that it does not fail together with the rest.</summary>
    async ValueTask CommitToFullAsync(IEnumerable<CommitWork> works, CancellationToken cancellationToken)
    {
        var small = new List<CommitWork>();
        var waitingPeers = new HashSet<byte>();
        foreach (var work in works)
        {
            // Messages of a peer keep their order: if a part of an answer overtook an earlier part, the whole answer would count as lost.
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

    /// <summary>True if the storage had no room for the last batch that was committed outside its reserve.</summary>
    bool IsFull => _storageFailure is StorageException { Error: StorageError.Full };

    /// <summary>
    /// Commits deletes and the like to a full storage. If one of them is too large for the remaining room, the others are committed
    /// nevertheless.
    /// </summary>
    async ValueTask CommitInReserveAsync(CommitWork[] works, CancellationToken cancellationToken)
    {
        if (works.Length == 0)
            return;
        foreach (var work in await TryCommitAsync(works, Attempt.Reserve, cancellationToken).ConfigureAwait(false))
            _alone.Enqueue(work);
        while (_alone.TryDequeue(out var work))
            await TryCommitAsync([work], Attempt.ReserveAlone, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The ways in which work can be committed.</summary>
    enum Attempt
    {
        /// <summary>All waiting work, as one batch.</summary>
        All,

        /// <summary>All work that may use the reserve of a full storage, as one batch.</summary>
        Reserve,

        /// <summary>A single work item that may use the reserve, as a batch of its own.</summary>
        ReserveAlone,
    }

    /// <summary>
    /// Commits the work as one batch, or fails it. Returns the work to try again in another way, because the storage has no room for all of
    /// it.
    /// </summary>
    async ValueTask<CommitWork[]> TryCommitAsync(IEnumerable<CommitWork> waiting, Attempt attempt, CancellationToken cancellationToken)
    {
        _applied.Clear();
        foreach (var work in waiting)
            _waiting.Enqueue(work);
        ReplicaBatch batch;
        WriteBatch? write = null;
        try
        {
            batch = await ApplyAsync(cancellationToken).ConfigureAwait(false);
            (write, bool mustFlush) = replica.Prepare(batch);
            onPrepared?.Invoke(batch);
            bool needsDurability = _applied.Exists(static work => work.NeedsDurability);
            if (write.Count > 0)
            {
                write.MayUseReserve |= attempt != Attempt.All;
                _isInStorage = true;
                await storage.CommitAsync(write, mustFlush ? Durability.Flushed : needsDurability ? durability : Durability.Buffered, CancellationToken.None).ConfigureAwait(false);
                _isInStorage = false;
                // A commit into the reserve does not show that there is room for more.
                if (!write.MayUseReserve)
                    OnAccepted(write);
            }
            replica.Complete(batch);
            sequencer?.Complete();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            FailAll(CommitLoop.Closed());
            foreach (var work in _later.Concat(_alone))
                Notify(work.OnFailed, CommitLoop.Closed());
            throw;
        }
        catch (Exception e)
        {
            _isAbandoned = true;
            bool wasFull = IsFull;
            bool isStorage = _isInStorage || e is StorageException;
            _isInStorage = false;
            if (isStorage)
                _storageFailure = e;
            _isUnchanged = isStorage && IsFull;
            // A batch that has no room in the reserve needs less than the one that was refused before.
            if (_isUnchanged && attempt == Attempt.All)
                _full.OnRefused(write is null ? 0 : SizeOf(write));
            EndSessions(isCommitted: false);
            CommitWork[] again = isStorage && IsFull ? TakeForNext(attempt) : [];
            int count = _applied.Count + _waiting.Count;
            FailAll(e);
            // Each caller gets the error while the storage is full, but the log gets it only once.
            if (!isStorage)
                StoreLog.BatchFailed(logger, e, storage.Description, count);
            else if (!wasFull || !IsFull)
                StoreLog.CommitFailed(logger, e, storage.Description, count);
            return again;
        }
        EndSessions(isCommitted: true);
        foreach (var work in _applied)
            Notify(static work => work.OnCommitted(), work);
        Notify(onCommitted, batch);
        return [];
    }

    void OnAccepted(WriteBatch write)
    {
        if (_storageFailure is null)
            return;
        if (IsFull)
        {
            if (!_full.HasRoomAfter(SizeOf(write)))
                return;
            StoreLog.HasRoom(logger, storage.Description);
        }
        _storageFailure = null;
    }

    static long SizeOf(WriteBatch write)
    {
        long bytes = 0;
        foreach (var operation in write.Operations)
            bytes += operation.Value is { } value ? operation.Key.Length + value.Length : 0;
        return bytes;
    }

    /// <summary>Takes the applied work that can be tried in another way.</summary>
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
        _isInStorage = true;
        using var snapshot = await storage.OpenSnapshotAsync(CancellationToken.None).ConfigureAwait(false);
        _isInStorage = false;
        if (_isAbandoned)
        {
            await replica.AbandonAsync(snapshot, isUnchanged: _isUnchanged).ConfigureAwait(false);
            if (sequencer is not null)
                await sequencer.AbandonAsync(snapshot).ConfigureAwait(false);
        }
        _isAbandoned = false;
        var batch = replica.Begin(snapshot);
        await replica.ReconcileAsync(batch, cancellationToken).ConfigureAwait(false);
        if (batch.ReadsWait)
            await PrefetchAsync(batch).ConfigureAwait(false);
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
                Notify(work.OnFailed, isClosing ? CommitLoop.Closed() : e);
            }
        }
        if (sequencer is not null)
        {
            sequencer.HasRoom = !IsFull;
            await sequencer.FinishAsync(batch).ConfigureAwait(false);
        }
        return batch;
    }

    /// <summary>Reads the documents of all waiting work at once.</summary>
    async ValueTask PrefetchAsync(ReplicaBatch batch)
    {
        var keys = new List<ReadOnlyMemory<byte>>();
        foreach (var work in _waiting)
            work.AddKeysTo(keys, batch);
        try
        {
            if (keys.Count > 1)
                await batch.PrefetchAsync(keys).ConfigureAwait(false);
        }
        catch (StorageException)
        {
            // The work that needs the document runs into the same error, and fails alone.
        }
    }

    void FailAll(Exception failure)
    {
        foreach (var work in _applied)
            Notify(work.OnFailed, failure);
        while (_waiting.TryDequeue(out var work))
            Notify(work.OnFailed, failure);
    }

    void EndSessions(bool isCommitted)
    {
        if (onSessionsEnded is not null && replica.TakeEnded(isCommitted) is { Count: > 0 } ended)
            Notify(onSessionsEnded, ended);
    }

    void Notify<T>(Action<T> callback, T argument)
    {
        try
        {
            callback(argument);
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
