using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial with three nodes of which one can dial the others but cannot be dialed: connections to it hang or are refused. It has the highest node
/// id in one case and the lowest in another. The node must join, replicate and read at levels.
/// </summary>
static class NatTrial
{
    const int Nodes = 3;
    static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(TrialRun run)
    {
        foreach (string verdict in (string[])["drop", "reject with tcp reset"])
        {
            foreach (int hidden in (int[])[Nodes, 1])
                await RunAsync(run, verdict, hidden);
        }
    }

    static async Task RunAsync(TrialRun run, string verdict, int hidden)
    {
        string name = $"{(verdict == "drop" ? "hanging" : "refused")} connections to node {hidden}";
        string folder = run.SubFolder(name.Replace(' ', '-'));
        await using var cluster = await Cluster.OnWireAsync(run, Nodes, folder);
        var inner = cluster[hidden - 1];
        ClusterNode[] others = [.. cluster.Nodes.Where(node => node != inner)];
        string rule = $"add table ip nat0; add chain ip nat0 input {{ type filter hook input priority 0; }}; add rule ip nat0 input iifname \"wire0\" tcp flags & (syn | ack) == syn {verdict}";
        await inner.Host!.RunAsync("nft", rule);
        foreach (var node in others)
            node.Settings = node.Settings with { Seeds = [.. others.Select(other => Cluster.SeedOf(other.Id))] };
        inner.Settings = inner.Settings with { Seeds = [.. others.Select(other => Cluster.SeedOf(other.Id))] };

        await Task.WhenAll(others.Select(node => node.StartAsync()));
        await Task.WhenAll(others.Select(node => node.RequireAsync(new Command(CommandKind.AwaitJoined))));
        await inner.StartAsync();
        var joined = inner.SendAsync(new Command(CommandKind.AwaitJoined));
        bool hasJoined = await Task.WhenAny(joined, Task.Delay(Wait, run.Cancellation)) == joined;
        run.Verdict.Require(hasJoined, $"{name}: the node joins within 20 s");
        if (!hasJoined)
            return;
        var met = await cluster.TryMeetAsync(Wait, run.Verdict.Say);
        run.Verdict.Require(met is not null, $"{name}: all nodes are in session within 20 s ({met?.TotalSeconds ?? double.NaN:F2} s)");

        foreach (var node in cluster.Nodes)
        {
            var saved = await node.PutAsync(node.Id, Consistency.All);
            run.Verdict.Require(saved.IsDone, $"{name}: node {node.Id} saves at All{saved.Problem}");
            var read = await node.SendAsync(new Command(CommandKind.Get) { Number = node.Id, Level = Consistency.All });
            run.Verdict.Require(read.IsDone && read.Number == 1, $"{name}: node {node.Id} reads at All{read.Problem}");
        }
        run.Verdict.Require(await cluster.ShowTheSameAsync(), $"{name}: all nodes show the same content");
    }
}
