namespace Datacake.Node.Tests;

/// <summary>Extension methods that wait for a node's view of the others.</summary>
static class MembersExpectation
{
    /// <summary>Waits until the members that a node knows satisfy a condition. On a timeout, fails with the current members.</summary>
    public static async Task UntilAsync(this DatacakeNode node, Func<IReadOnlyList<ClusterMember>, bool> condition)
    {
        var stop = TestContext.Current.CancellationToken;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Eventually.Deadline);
        try
        {
            await foreach (var _ in node.WatchMembersAsync(deadline.Token))
                if (condition(node.Members))
                    return;
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            Assert.Fail($"Timed out waiting for the members. Node {node.Id} knows {string.Join(", ", node.Members)}.");
        }
    }
}
