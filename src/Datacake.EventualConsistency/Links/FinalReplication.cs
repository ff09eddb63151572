using Datacake.Crdt;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// The last step of an orderly close: waits for a bounded time until the peers in session have all transactions of this node, and logs how
/// many transactions may be on no other member.
/// </summary>
sealed class FinalReplication(SessionContext context, CurrentMembership membership, TimeSpan timeout)
{
    /// <summary>The limit of the count of transactions that are left behind.</summary>
    const int MaxCounted = 100_000;

    static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50);

    /// <summary>Runs the step. No more writes may be made.</summary>
    public async ValueTask RunAsync()
    {
        using var deadline = new CancellationTokenSource(timeout, context.Node.TimeProvider);
        try
        {
            while (!await context.Loop.RunAsync((batch, _) => ValueTask.FromResult(AskForReports(batch)), deadline.Token).ConfigureAwait(false))
                await Task.Delay(Retry, context.Node.TimeProvider, deadline.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            if (e is not OperationCanceledException)
                StoreLog.FinalReplicationFailed(context.Logger, e, context.Node.Id);
        }
        await FinishAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Asks the peers that lack transactions of this node for reports. Called on the commit loop. Returns true if no peer lacks any.
    /// </summary>
    bool AskForReports(ReplicaBatch batch)
    {
        var replica = context.Replica;
        var own = batch.State.Known.OfNode(replica.Node);
        bool haveAll = true;
        foreach (var member in membership.Current.Members)
        {
            if (member.NodeId == replica.Node || !member.IsUp || !replica.Sessions.TryGetValue(member.NodeId, out var session)
                || replica.KnownOf(member.NodeId).Covers(own))
                continue;
            haveAll = false;
            // A roll call with nonce 0 belongs to no roll, and is answered with an ordinary report.
            batch.Outbox.Add(new Outgoing(member.NodeId, session.Id, new RollCall(0)));
        }
        return haveAll;
    }

    /// <summary>Commits the last batch of the store, and logs how many transactions are left behind.</summary>
    async ValueTask FinishAsync()
    {
        using var deadline = new CancellationTokenSource(SessionRunner.GoodbyeTimeout, context.Node.TimeProvider);
        try
        {
            int left = await context.Loop.RunInReserveAsync(CountLeftAsync, deadline.Token).ConfigureAwait(false);
            if (left > 0)
                StoreLog.LeftBehind(context.Logger, context.Node.Id, left);
        }
        catch (Exception e)
        {
            StoreLog.FinalReplicationFailed(context.Logger, e, context.Node.Id);
        }
    }

    /// <summary>
    /// Prepares the replica for the stop. Called on the commit loop. Returns the number of transactions of this node that no other member
    /// is known to have.
    /// </summary>
    async ValueTask<int> CountLeftAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        var replica = context.Replica;
        replica.PrepareStop();
        var missing = batch.State.Known.OfNode(replica.Node).Except(batch.State.Truncated);
        bool hasOthers = false;
        foreach (byte member in replica.Identity.Members.Keys)
        {
            if (member == replica.Node)
                continue;
            hasOthers = true;
            missing = missing.Except(replica.KnownOf(member));
        }
        if (!hasOthers || missing.IsEmpty)
            return 0;
        int count = 0;
        await foreach (var _ in TransactionLog.ReadNewestFirstAsync(batch.Snapshot, missing, cancellationToken).ConfigureAwait(false))
        {
            if (++count == MaxCounted)
                break;
        }
        return count;
    }
}
