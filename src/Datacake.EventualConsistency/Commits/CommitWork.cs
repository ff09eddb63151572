using Datacake.EventualConsistency.Replication;

namespace Datacake.EventualConsistency.Commits;

/// <summary>Something that changes the replica: it is applied to a batch with others, and told what became of the batch.</summary>
abstract class CommitWork
{
    /// <summary>Whether its caller goes on as soon as the batch is committed.</summary>
    public virtual bool IsDoneByCommit => false;

    /// <summary>
    /// True if it makes room, as deletes do, or takes next to none, so that it is committed also where the storage is full for everything else: into what the
    /// storage keeps in reserve.
    /// </summary>
    public virtual bool MayUseReserve => false;

    /// <summary>Gets the peer whose message it is, or null: the messages of a peer are applied in their order, whatever they take.</summary>
    public virtual byte? Peer => null;

    /// <summary>Works on the batch. It can be called again, for another batch, if the first one could not be committed.</summary>
    /// <remarks>What it throws concerns this work alone; the batch must then be as before.</remarks>
    public abstract ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken);

    /// <summary>The batch is committed; called before anything of it is sent.</summary>
    public abstract void OnCommitted();

    /// <summary>The work could not be applied, or its batch could not be committed.</summary>
    public abstract void OnFailed(Exception failure);
}

/// <summary>Work that its caller waits for.</summary>
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
        // Its caller may no longer wait.
        _ = _done.Task.Exception;
    }
}
