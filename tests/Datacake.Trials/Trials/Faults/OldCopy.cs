using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials.Faults;

/// <summary>
/// A cold backup of a node's file is restored while the other node is down. The restored node writes, and then the nodes meet. Both must have
/// everything that was saved at All before the restore, and everything that was saved after it.
/// </summary>
static class OldCopy
{
    const int Lives = 4, PerLife = 5, Fresh = 10;

    public static async Task RunAsync(TrialRun run, string folder)
    {
        await using var cluster = Cluster.OnLoopback(run, 2, folder);
        await cluster.FormAsync();
        var (other, restored) = (cluster[0], cluster[1]);
        await restored.PutAsync(1, Consistency.All);
        await restored.StopAsync();
        string copy = Path.Combine(folder, "copy");
        restored.CopyFilesTo(copy);
        var saved = new List<long>();
        for (int life = 0; life < Lives; life++)
        {
            await restored.StartAsync();
            await cluster.MeetAsync(TimeSpan.FromSeconds(20));
            for (int k = 0; k < PerLife; k++)
                await SaveAsync(restored, 100 + (life * 10) + k, Consistency.All, saved);
            await run.WaitAsync(TimeSpan.FromSeconds(2.5));
            await restored.StopAsync();
        }
        await other.StopAsync();
        restored.RestoreFilesFrom(copy);
        await restored.StartAsync();
        var later = new List<long>();
        for (int k = 0; k < Fresh; k++)
            await SaveAsync(restored, 1_000 + k, Consistency.None, later);
        await other.StartAsync();
        long start = TimeProvider.System.GetTimestamp();
        for (long key = 2_000; TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(6); key++)
        {
            await SaveAsync(restored, key, Consistency.None, later);
            await run.WaitAsync(TimeSpan.FromMilliseconds(20));
        }
        await cluster.MeetAsync(TimeSpan.FromSeconds(20));
        bool isSame = false;
        await cluster.MeasureAsync(async () => isSame = await cluster.ShowTheSameAsync(), TimeSpan.FromSeconds(20));
        run.Verdict.Require(isSame, $"F4: both nodes show the same content 20 s after they met ({await cluster.CountsAsync()})");
        foreach (var node in cluster.Nodes)
        {
            run.Verdict.Require(await LackingAsync(node, saved) == 0, $"F4: node {node.Id} has all {saved.Count} documents saved at All before the restore ({await LackingAsync(node, saved)} missing)");
            run.Verdict.Require(await LackingAsync(node, later) == 0, $"F4: node {node.Id} has all {later.Count} documents saved on the restored node afterwards ({await LackingAsync(node, later)} missing)");
        }
    }

    static async Task SaveAsync(ClusterNode node, long key, Consistency level, List<long> saved)
    {
        if ((await node.PutAsync(key, level)).IsDone)
            saved.Add(key);
    }

    static async Task<int> LackingAsync(ClusterNode node, IEnumerable<long> keys)
    {
        int lacking = 0;
        foreach (long key in keys)
            lacking += (await node.RequireAsync(new Command(CommandKind.Get) { Number = key })).Number == 1 ? 0 : 1;
        return lacking;
    }
}
