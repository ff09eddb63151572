using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Replication;

namespace Datacake.EventualConsistency.Links;

/// <summary>The fetching of what a read has found missing on this node. It works like ordinary replication, but begins at once.</summary>
sealed class ReadRepairWork(Replica replica, byte source) : CommitWork
{
    /// <summary>Starts a pull, unless another one is under way, which brings most of what is missing.</summary>
    public static void Pull(Replica replica, ReplicaBatch batch, byte source)
    {
        if (replica.IsJoined && replica.CanPull && replica.MayAsk(source) && replica.Sessions.ContainsKey(source))
            replica.StartPull(batch, source);
    }

    public override bool MayUseReserve => true;

    public override ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        Pull(replica, batch, source);
        return ValueTask.CompletedTask;
    }

    public override void OnCommitted()
    {
    }

    public override void OnFailed(Exception failure)
    {
        // Ordinary replication brings it.
    }
}
