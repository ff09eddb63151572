using Datacake.EventualConsistency.Links;
using Datacake.Node;

namespace Datacake.EventualConsistency.Reading;

/// <summary>
/// A poll of all members that are up at once, which ends when as many of them have answered as a consistency level requires, the local node
/// included.
/// </summary>
static class MemberPoll
{
    /// <summary>Asks the members. Does not wait for answers that are no longer needed.</summary>
    /// <param name="node">The local node, which counts as having answered.</param>
    /// <param name="requirement">The requirement of the level, with the members that are up.</param>
    /// <param name="timeout">The time within which the members must answer.</param>
    /// <param name="ask">Asks one member; throws a <see cref="ReadFailedException"/> if the member cannot answer.</param>
    /// <param name="take">Takes an answer. Called by one caller at a time.</param>
    /// <param name="timeoutReason">The reason to report for a member that has not answered within the timeout, as a clause.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ConsistencyException">Too few members answered within the timeout.</exception>
    public static async Task RunAsync<T>(
        DatacakeNode node, ConsistencyRequirement requirement, TimeSpan timeout, Func<byte, CancellationToken, Task<T>> ask, Action<byte, T> take, string timeoutReason,
        CancellationToken cancellationToken)
    {
        var answered = NodeSet.Of(node.Id);
        if (requirement.IsSatisfiedBy(answered))
            return;
        var time = node.TimeProvider;
        long started = time.GetTimestamp();
        using var deadline = new CancellationTokenSource(ReplicatedStoreOptions.ToTimer(timeout), time);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var failures = new List<ConsistencyFailure>();
        var asking = requirement.Up.Without(node.Id).ToDictionary(member => ask(member, over.Token));
        var pending = asking.Keys.ToList();
        try
        {
            while (!requirement.IsSatisfiedBy(answered))
            {
                if (pending.Count == 0)
                    throw new ConsistencyException(requirement, answered, failures, time.GetElapsedTime(started));
                var done = await Task.WhenAny(pending).ConfigureAwait(false);
                pending.Remove(done);
                byte from = asking[done];
                try
                {
                    take(from, await done.ConfigureAwait(false));
                    answered = answered.With(from);
                }
                catch (ReadFailedException e)
                {
                    failures.Add(new ConsistencyFailure(from, e.Message, e));
                }
                catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
                {
                    failures.Add(new ConsistencyFailure(from, timeoutReason, e));
                }
            }
        }
        finally
        {
            await over.CancelAsync().ConfigureAwait(false);
            await ((Task)Task.WhenAll(pending)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
