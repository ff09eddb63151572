using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials.Faults;

/// <summary>A member that returns empty while another is down cannot join. Writes at levels that need it must be refused before anything is written.</summary>
static class WaitingMember
{
    public static async Task RunAsync(TrialRun run, string folder)
    {
        await using var cluster = Cluster.OnLoopback(run, 3, folder);
        await cluster.FormAsync();
        await cluster[0].PutAsync(1, Consistency.All);
        await cluster[2].StopAsync();
        await cluster[1].StopAsync();
        cluster[1].Wipe();
        await cluster[1].StartAsync();
        await run.WaitAsync(TimeSpan.FromSeconds(5));
        var status = await cluster[1].RequireAsync(new Command(CommandKind.Members));
        run.Verdict.Say($"the empty member has joined: {status.IsJoined}");
        var saved = await cluster[0].PutAsync(2, Consistency.Quorum);
        run.Verdict.Require(
            saved.Error == nameof(NotEnoughNodesException) || (saved.IsDone && status.IsJoined),
            $"F9: a save at Quorum is refused: {(saved.IsDone ? "saved" : saved.Error)} after {saved.Milliseconds / 1_000:F1} s");
        if (!saved.IsDone)
        {
            var read = await cluster[0].RequireAsync(new Command(CommandKind.Get) { Number = 2 });
            run.Verdict.Require(read.Number == 0, "F9: the refused document is not written");
        }
    }
}
