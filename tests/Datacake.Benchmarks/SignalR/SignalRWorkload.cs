using System.Globalization;
using Datacake.Benchmarks.Caching;
using Datacake.Benchmarks.Measuring;
using Datacake.Benchmarks.Replication;

namespace Datacake.Benchmarks.SignalR;

/// <summary>
/// Messages through a SignalR hub on three servers, each a process, with 1,000 clients in this one. An operation is a message of a client until all its receivers have it, each exactly once; an item is a
/// delivery. With one sender, the figure is the latency; with many, the throughput. In a burst, a
/// server sends the messages one after another, so that the clients cost less beside the backplane.
/// </summary>
static class SignalRWorkload
{
    const string Workload = "signalr";

    public static async Task RunAsync(Runner runner)
    {
        await using var ours = new Shared<SignalRCluster>(SignalRCluster.StartOnDatacakeAsync);
        await using var theirs = new Shared<SignalRCluster>(SignalRCluster.StartOnRedisAsync);
        foreach (int senders in runner.Pace.Choose([1, 16, 128], [1, 128]))
            await MeasureAsync("user", senders, 1, static (cluster, sender, number) => cluster.SendToUserAsync(sender, number));
        foreach (int senders in runner.Pace.Choose([1, 16], [16]))
            await MeasureAsync($"burst of {SignalRCluster.BurstSize} to a user", senders, SignalRCluster.BurstSize, static (cluster, sender, number) => cluster.SendBurstAsync(sender, number), isLatency: false);
        foreach (int senders in runner.Pace.Choose([1, 16, 64], [1, 64]))
            await MeasureAsync("group", senders, SignalRCluster.GroupSize, static (cluster, sender, number) => cluster.SendToGroupAsync(sender, number));
        foreach (int senders in runner.Pace.Choose([1, 4], [4]))
            await MeasureAsync("all", senders, SignalRCluster.Clients, static (cluster, sender, _) => cluster.SendToAllAsync(sender));

        Task MeasureAsync(string to, int senders, int receivers, Func<SignalRCluster, int, long, Task> send, bool isLatency = true)
        {
            List<Subject> subjects = [new(DatacakeCluster.System, () => OpenAsync(ours))];
            if (RedisServer.IsInstalled)
                subjects.Add(new(RedisServer.System, () => OpenAsync(theirs)));
            string parameters = string.Create(CultureInfo.InvariantCulture, $"to={to} servers={SignalRCluster.Servers} clients={SignalRCluster.Clients} senders={senders}");
            return runner.MeasureAsync(new Cell(Workload, parameters, subjects)
            {
                Workers = senders,
                ItemsPerOperation = receivers,
                Targets = RedisServer.IsInstalled ? [senders == 1 && isLatency ? Target.LatencyOf(RedisServer.System, 0.5) : Target.Times(RedisServer.System, 2)] : [],
            });

            async Task<Session> OpenAsync(Shared<SignalRCluster> shared)
            {
                var cluster = await shared.GetAsync();
                return new Session((sender, number) => new ValueTask(send(cluster, sender, number)));
            }
        }
    }
}
