using Datacake.EventualConsistency.Replication;

namespace Datacake.EventualConsistency.Commits;

/// <summary>A change of the replica, which is applied to a batch together with others and is told what becomes of the batch.</summary>
abstract class CommitWork
{
    /// <summary>True if the caller continues as soon as the batch is committed.</summary>
    public virtual bool IsDoneByCommit => false;

    /// <summary>
    /// True if the work makes room, as deletes do, or takes almost none. Such work is committed even if the storage is full for everything
    /// else, with the space that the storage keeps in reserve.
    /// </summary>
    public virtual bool MayUseReserve => false;

    /// <summary>
    /// True if what the work stores counts as done only with the durability of the store. A batch without such work is flushed only if the replica requires it.
    /// </summary>
    public virtual bool NeedsDurability => true;

    /// <summary>
    /// Gets the peer that sent the message, or null if the work is not a message. The messages of a peer are applied in order, however much
    /// room each one takes.
    /// </summary>
    public virtual byte? Peer => null;

    /// <summary>
    /// Adds the storage keys of the documents that the work is about to read, as far as they are known. A storage that is reached over a network is asked
    /// for the documents of all works at once.
    /// </summary>
    public virtual void AddKeysTo(List<ReadOnlyMemory<byte>> keys, ReplicaBatch batch)
    {
    }

    /// <summary>Applies the work to the batch. May be called again for another batch if the first one could not be committed.</summary>
    /// <remarks>An exception fails this work alone. The batch must then be unchanged.</remarks>
    public abstract ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken);

    /// <summary>Handles the commit of the batch. Called before any message of the batch is sent.</summary>
    public abstract void OnCommitted();

    /// <summary>Handles a failure: the work could not be applied, or its batch could not be committed.</summary>
    public abstract void OnFailed(Exception failure);
}

/// <summary>Work whose caller waits for its result.</summary>
sealed class AwaitedWork<T>(Func<ReplicaBatch, CancellationToken, ValueTask<T>> apply, bool mayUseReserve) : CommitWork
{
    readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    T? _result;

    public Task<T> Done => _done.Task;

    public override bool MayUseReserve => mayUseReserve;

    public override async ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken) =>
        _result = await apply(batch, cancellationToken).ConfigureAwait(false);

    public override void OnCommitted() => _done.TrySetResult(_result!);

    public override void OnFailed(Exception failure)
    {
        _done.TrySetException(failure);
        // Observed here, because the caller may no longer be waiting.
        _ = _done.Task.Exception;
    }
}
