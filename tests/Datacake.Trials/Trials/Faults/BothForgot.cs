using System.Globalization;
using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials.Faults;

/// <summary>
/// Two sides have forgotten each other after a long separation. When they meet, one continues to count and delete; nothing of either may be undone.
/// </summary>
static class BothForgot
{
    const int Tallies = 20, Counted = 15, Bulk = 40_000, Writers = 4;

    public static async Task RunAsync(TrialRun run, string folder)
    {
        await using var cluster = Cluster.OnLoopback(run, 2, folder);
        await cluster.FormAsync();
        var (one, other) = (cluster[0], cluster[1]);
        await one.RequireAsync(new Command(CommandKind.Fill) { Keyspace = "bulk", Count = Bulk, Length = 100, Level = Consistency.All });
        await run.WaitAsync(TimeSpan.FromSeconds(2.5));
        await other.StopAsync();
        await one.RequireAsync(new Command(CommandKind.Forget) { Number = other.Id });
        await DeleteSomethingAsync(cluster, one, 1);
        await one.StopAsync();

        await other.StartAsync();
        await other.RequireAsync(new Command(CommandKind.Forget) { Number = one.Id });
        await other.RequireAsync(new Command(CommandKind.AddTallies) { Count = Tallies });
        await DeleteSomethingAsync(cluster, other, 1);
        await other.StopAsync();

        await one.StartAsync();
        await DeleteSomethingAsync(cluster, one, 2);
        await other.StartAsync();
        var (acknowledged, unsure, removed) = await WriteAsync(run, other);
        await cluster.MeetAsync(TimeSpan.FromSeconds(30));
        bool isSame = false;
        await cluster.MeasureAsync(async () => isSame = await cluster.ShowTheSameAsync("Tallies") && await cluster.ShowTheSameAsync("bulk"), TimeSpan.FromSeconds(60));
        run.Verdict.Require(isSame, "F5: both nodes show the same content within 60 s");

        foreach (var node in cluster.Nodes)
        {
            var content = (await node.RequireAsync(new Command(CommandKind.Content) { Keyspace = "none" })).Content!;
            long counted = content.Values.Sum(value => long.Parse(value, CultureInfo.InvariantCulture));
            run.Verdict.Require(counted >= acknowledged && counted <= acknowledged + unsure,
                $"F5: node {node.Id} shows every acknowledged increment ({counted} of {acknowledged})");
            int revived = removed.Count(id => content.ContainsKey($"tally {id}"));
            run.Verdict.Require(revived == 0, $"F5: node {node.Id} shows no deleted document ({revived} of {removed.Count})");
        }
    }

    // Purging a delete moves the point up to which the node has forgotten.
    static async Task DeleteSomethingAsync(Cluster cluster, ClusterNode node, long key)
    {
        string keyspace = $"x{node.Id}";
        await node.PutAsync(key, Consistency.None, keyspace: keyspace);
        await node.RequireAsync(new Command(CommandKind.Delete) { Keyspace = keyspace, Number = key, Level = Consistency.None });
        await cluster.MeasureAsync(async () => (await node.RequireAsync(new Command(CommandKind.Tombstones) { Keyspace = keyspace })).Number == 0, TimeSpan.FromSeconds(20));
    }

    static async Task<(long Acknowledged, long Unsure, List<long> Removed)> WriteAsync(TrialRun run, ClusterNode node)
    {
        long acknowledged = 0, unsure = 0, start = TimeProvider.System.GetTimestamp();
        var removed = new List<long>();
        var counting = Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
        {
            var random = new Random(HashCode.Combine(run.Seed, writer));
            while (TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(8))
            {
                var answer = await node.SendAsync(new Command(CommandKind.Increment) { Number = 1 + random.Next(Counted), Level = Consistency.None });
                if (answer.IsDone)
                    Interlocked.Add(ref acknowledged, answer.Number);
                else if (answer.Error != nameof(NotEnoughNodesException))
                    Interlocked.Increment(ref unsure);
            }
        })).ToArray();
        for (long id = Counted + 1; id <= Tallies; id++)
        {
            await run.WaitAsync(TimeSpan.FromMilliseconds(500));
            if ((await node.SendAsync(new Command(CommandKind.RemoveTally) { Number = id, Level = Consistency.None })).IsDone)
                removed.Add(id);
        }
        await Task.WhenAll(counting);
        return (acknowledged, unsure, removed);
    }
}
