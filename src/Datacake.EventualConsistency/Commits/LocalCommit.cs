using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency.Commits;

/// <summary>A local transaction on its way: through the commit loop, then until enough replicas have acknowledged it.</summary>
sealed class LocalCommit(Replica replica, AcknowledgementBoard board, Transaction transaction, ConsistencyRequirement requirement) : CommitWork
{
    readonly TaskCompletionSource<CommitResult> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    NodeSet _acknowledged;                                  // under the board's lock

    public ConsistencyRequirement Requirement { get; } = requirement;

    public HlcTimestamp Stamp { get; private set; }

    public Task<CommitResult> Done => _done.Task;

    public NodeSet Acknowledged => _acknowledged;

    /// <summary>Whether its caller has stopped waiting. Under the board's lock.</summary>
    public bool IsGivenUp { get; set; }

    public override async ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken) =>
        Stamp = await replica.WriteAsync(batch, transaction).ConfigureAwait(false);

    public override void OnCommitted()
    {
        _acknowledged = NodeSet.Of(replica.Node);
        if (Requirement.IsSatisfiedBy(_acknowledged))
            Complete();
        else
            board.Add(this);
    }

    public override void OnFailed(Exception failure) => _done.TrySetException(failure);

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
