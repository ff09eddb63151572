namespace Datacake.Node.Tests;

/// <summary>Waits for what becomes so by itself.</summary>
static class Eventually
{
    /// <summary>Waits until the members that a node knows are as asked, and fails with what they are if that takes longer.</summary>
    public static async Task UntilAsync(this DatacakeNode node, Func<IReadOnlyList<ClusterMember>, bool> condition)
    {
        var stop = TestContext.Current.CancellationToken;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(TimeSpan.FromSeconds(30));
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

    /// <summary>Waits until a line is logged that is as asked, and fails with all lines if that takes longer.</summary>
    public static async Task UntilLoggedAsync(this ListLogger log, Predicate<string> condition)
    {
        long start = TimeProvider.System.GetTimestamp();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!log.Lines.Any(line => condition(line)))
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(30), $"Not in time: {string.Join(Environment.NewLine, log.Lines)}");
            await poll.WaitForNextTickAsync(TestContext.Current.CancellationToken);
        }
    }
}
