using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Network;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials.Faults;

/// <summary>A node returns over a link of 4 Mbit/s. It has missed a document of 6 MB, which takes 12 s to transfer, and a small one.</summary>
static class SlowLink
{
    const int Length = 6_000_000;
    static readonly TimeSpan Wait = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(TrialRun run, string folder)
    {
        await using var cluster = await Cluster.OnWireAsync(run, 2, folder);
        await cluster.FormAsync();
        var (stays, away) = (cluster[0], cluster[1]);
        await away.StopAsync();
        await stays.PutAsync(1, Consistency.None, Length);
        await stays.PutAsync(2, Consistency.None, 10);
        cluster.Wire!.Default = new LinkConditions(0, TimeSpan.FromMilliseconds(5), TimeSpan.Zero, false, 500_000);
        await away.StartAsync();
        var arrivals = await Task.WhenAll(
            cluster.MeasureAsync(() => HasAsync(away, 1, Length), Wait),
            cluster.MeasureAsync(() => HasAsync(away, 2, 10), Wait));
        var (large, small) = (arrivals[0], arrivals[1]);
        run.Verdict.Require(large < Wait, $"F3: the document of 6 MB arrives within 60 s ({large.TotalSeconds:F1} s)");
        run.Verdict.Require(small < Wait, $"F3: the small document arrives within 60 s ({small.TotalSeconds:F1} s)");
    }

    static async Task<bool> HasAsync(ClusterNode node, long key, int length) =>
        (await node.SendAsync(new Command(CommandKind.Get) { Number = key })).Number == length;
}
