using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials.Faults;

/// <summary>A node is retired while it is connected. It must learn of this at once and refuse writes, including those at None.</summary>
static class RetiredNode
{
    static readonly TimeSpan Told = TimeSpan.FromSeconds(2);

    public static async Task RunAsync(TrialRun run, string folder)
    {
        await using var cluster = Cluster.OnLoopback(run, 3, folder);
        await cluster.FormAsync();
        var (by, retired) = (cluster[0], cluster[2]);
        await by.RequireAsync(new Command(CommandKind.Retire) { Number = retired.Id });
        await run.WaitAsync(Told);
        var members = await retired.SendAsync(new Command(CommandKind.Members));
        bool seesOthers = members.Members.Any(member => member.NodeId != retired.Id && member.IsUp);
        run.Verdict.Require(!seesOthers, "F7: a retired node does not show the others as up");
        await RequireRefusedAsync(run, retired, Consistency.Quorum);
        await RequireRefusedAsync(run, retired, Consistency.None);
        var saved = await by.PutAsync(9, Consistency.All);
        run.Verdict.Require(saved.IsDone, $"F7: the others save at All without it{saved.Problem}");
    }

    static async Task RequireRefusedAsync(TrialRun run, ClusterNode retired, Consistency level)
    {
        var saved = await retired.PutAsync(1, level);
        run.Verdict.Require(!saved.IsDone && saved.Milliseconds < 1_000,
            $"F7: a save at {level} on a retired node is refused at once: {(saved.IsDone ? "saved" : $"{saved.Error}: {saved.Message}")}, {saved.Milliseconds:F0} ms");
        var read = await retired.SendAsync(new Command(CommandKind.Get) { Number = 1 });
        run.Verdict.Require(read.Number == 0, $"F7: the refused document is not written ({level})");
    }
}
