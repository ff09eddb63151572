namespace Datacake.Node.Tests;

/// <summary>Waits for what a node comes to know of the others.</summary>
static class MembersExpectation
{
    /// <summary>Waits until the members that a node knows are as asked, and fails with what they are if that takes longer.</summary>
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
            Assert.Fail($"Not in time: node {node.Id} knows {string.Join(", ", node.Members)}");
        }
    }
}
