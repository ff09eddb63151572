using Datacake.EventualConsistency.Links;
using Datacake.Node;

namespace Datacake.EventualConsistency.Reading;

/// <summary>Asks all members that are up at once, until as many have answered as a level needs, the local one included.</summary>
static class MemberPoll
{
    /// <summary>Asks. Answers that come too late to be needed are not waited for.</summary>
    /// <param name="node">The local node, which counts as one that has answered.</param>
    /// <param name="requirement">Who is up, and how many are needed.</param>
    /// <param name="timeout">How long the members may take.</param>
    /// <param name="ask">Asks one of them; throws a <see cref="ReadFailedException"/> if it cannot answer.</param>
    /// <param name="take">Takes an answer; called by one caller at a time.</param>
    /// <param name="late">What to say of one that has not answered within the timeout, as a clause.</param>
    /// <param name="cancellationToken">Stops waiting.</param>
    /// <exception cref="ConsistencyException">Too few answered within the timeout.</exception>
    public static async Task RunAsync<T>(
        DatacakeNode node, ConsistencyRequirement requirement, TimeSpan timeout, Func<byte, CancellationToken, Task<T>> ask, Action<byte, T> take, string late,
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
                    failures.Add(new ConsistencyFailure(from, late, e));
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
