using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Replication;
using Datacake.Simulation.Histories;

namespace Datacake.Simulation.Machines;

/// <summary>A change to a replica that goes through a batch.</summary>
sealed class Work(Func<ReplicaBatch, ValueTask> apply) : CommitWork
{
    /// <summary>Gets the batch that the work was applied to.</summary>
    public ReplicaBatch? Batch { get; private set; }

    /// <summary>Gets the transactions that the work may bring.</summary>
    public Holdings Offered { get; init; } = Holdings.None;

    /// <summary>True if the work is committed even to a full disk.</summary>
    public bool IsSmall { get; init; }

    public override bool MayUseReserve => IsSmall;

    /// <summary>True if the work is of the sequencer, which says itself what must be flushed.</summary>
    public bool IsSequencing { get; init; }

    public override bool NeedsDurability => !IsSequencing;

    /// <summary>Gets the machine that sent the message.</summary>
    public Machine? Sender { get; init; }

    public override byte? Peer => Sender?.Node;

    /// <summary>Gets the exception that the work failed with, or null.</summary>
    public Exception? Failure { get; private set; }

    public Action? Committed { get; init; }

    public Action<Exception>? Failed { get; init; }

    public override ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        Batch = batch;
        return apply(batch);
    }

    public override void OnCommitted() => Committed?.Invoke();

    public override void OnFailed(Exception failure)
    {
        Failure = failure;
        Failed?.Invoke(failure);
    }
}
