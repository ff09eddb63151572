using Datacake.EventualConsistency;
using Datacake.Trials.Driving;

namespace Datacake.Trials.Trials.Faults;

/// <summary>All nodes are stopped. The first seed loses its disk and starts some seconds before the others. Nothing may be deleted.</summary>
static class LostDisk
{
    const int PerNode = 20;

    public static async Task RunAsync(TrialRun run, string folder)
    {
        await using var cluster = Cluster.OnLoopback(run, 3, folder);
        await cluster.FormAsync();
        foreach (var node in cluster.Nodes)
        {
            for (int k = 0; k < PerNode; k++)
                await node.PutAsync((node.Id * 100) + k, Consistency.All);
        }
        run.Verdict.Say("before: " + await cluster.CountsAsync());
        await run.WaitAsync(TimeSpan.FromSeconds(2.5));
        foreach (var node in cluster.Nodes)
            await node.StopAsync();
        cluster[0].Wipe();
        await cluster[0].StartAsync();
        await run.WaitAsync(TimeSpan.FromSeconds(6));
        await cluster[1].StartAsync();
        await cluster[2].StartAsync();
        await cluster.MeetAsync(TimeSpan.FromSeconds(30));
        long expected = PerNode * cluster.Nodes.Count;
        bool areAll = await CountsAreAsync(cluster, expected);
        run.Verdict.Say("after: " + await cluster.CountsAsync());
        run.Verdict.Require(areAll, $"F1: all {expected} documents that were saved at All are on all nodes");

        // The documents must also stay: a mistaken claim deletes them somewhat later.
        await run.WaitAsync(TimeSpan.FromSeconds(5));
        run.Verdict.Require(await CountsAreAsync(cluster, expected), "F1: the documents stay on all nodes");
    }

    static async Task<bool> CountsAreAsync(Cluster cluster, long expected)
    {
        bool areAll = false;
        await cluster.MeasureAsync(
            async () => areAll = (await Task.WhenAll(cluster.Nodes.Select(node => node.RequireAsync(new(Worker.CommandKind.Statistics))))).All(answer => answer.Number == expected),
            TimeSpan.FromSeconds(20));
        return areAll;
    }
}
