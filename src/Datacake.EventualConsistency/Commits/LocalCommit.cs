using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency.Commits;

/// <summary>A local transaction on its way: through the commit loop, then until enough replicas have acknowledged it.</summary>
sealed class LocalCommit(Replica replica, AcknowledgementBoard board, Transaction transaction, ConsistencyRequirement requirement) : CommitWork
{
    readonly TaskCompletionSource<CommitResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    NodeSet _acknowledged;                                  // under the board's lock

    public ConsistencyRequirement Requirement { get; } = requirement;

    public HlcTimestamp Stamp { get; private set; }

    public Task<CommitResult> Done => _done.Task;

    /// <summary>Completes when the transaction is committed here, or has failed.</summary>
    public Task Settled => _settled.Task;

    /// <summary>Who has it; to be read once it is given up.</summary>
    public NodeSet Acknowledged => _acknowledged;

    public override async ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken) =>
        Stamp = await replica.WriteAsync(batch, transaction).ConfigureAwait(false);

    public override void OnCommitted()
    {
        _acknowledged = NodeSet.Of(replica.Node);
        if (Requirement.IsSatisfiedBy(_acknowledged))
            Complete();
        else
            board.Add(this);
        _settled.TrySetResult();
    }

    public override void OnFailed(Exception failure)
    {
        _done.TrySetException(failure);
        _settled.TrySetResult();
    }

    /// <summary>A replica has the transaction. Whether the level is satisfied with it.</summary>
    public bool Acknowledge(byte node)
    {
        _acknowledged = _acknowledged.With(node);
        if (!Requirement.IsSatisfiedBy(_acknowledged))
            return false;
        Complete();
        return true;
    }

    void Complete() => _done.TrySetResult(new CommitResult(Stamp, _acknowledged));
}
