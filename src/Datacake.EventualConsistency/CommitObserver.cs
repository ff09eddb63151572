using System.Runtime.ExceptionServices;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Joining;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Watching;

namespace Datacake.EventualConsistency;

/// <summary>The notification of the peers, the watchers and the waiting callers after each commit, on the commit loop.</summary>
sealed class CommitObserver
{
    readonly Action<ReplicaBatch>[] _parts;

    public CommitObserver(
        Replica replica, CurrentMembership membership, StoreJoining joining, StoreMetrics metrics, PeerLinks links, StoreWatchers watchers, CommitWaiters waiters,
        StoreSequencing sequencing, StoreActivity activity, Action<ReplicaBatch> tellFollowers) =>
        _parts =
        [
            _ => membership.Refresh(),
            links.Dispatch,
            metrics.Committed,
            _ => joining.Refresh(),
            watchers.Publish,
            tellFollowers,
            batch =>
            {
                if (batch.HasPulled && replica.IsJoined)
                    links.Broadcast(replica.Report(batch));
            },
            _ => waiters.Release(),
            _ => sequencing.OnCommitted(),
            activity.Note,
        ];

    /// <summary>Runs all parts of the notification, even if one of them throws.</summary>
    /// <exception cref="Exception">The first exception of a part.</exception>
    public void OnCommitted(ReplicaBatch batch)
    {
        Exception? failure = null;
        foreach (var part in _parts)
        {
            try
            {
                part(batch);
            }
            catch (Exception e)
            {
                failure ??= e;
            }
        }
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }
}
