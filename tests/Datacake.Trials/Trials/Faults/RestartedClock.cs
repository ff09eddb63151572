using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials.Faults;

/// <summary>A node is restarted many times in a row: its stamps must stay near the wall clock.</summary>
static class RestartedClock
{
    const int Starts = 12;
    const double MaxAheadSeconds = 2;

    public static async Task RunAsync(TrialRun run, string folder)
    {
        await using var cluster = Cluster.OnLoopback(run, 1, folder);
        double ahead = 0;
        for (int start = 1; start <= Starts; start++)
        {
            await cluster[0].StartAsync();
            ahead = Math.Max(ahead, (await cluster[0].RequireAsync(new Command(CommandKind.Put) { Number = 1, Length = 1, Level = Consistency.None })).StampAhead);
            await cluster[0].StopAsync();
        }
        run.Verdict.Require(ahead < MaxAheadSeconds, $"F10: after {Starts} starts, stamps are less than {MaxAheadSeconds} s ahead of the wall clock ({ahead:F1} s)");
    }
}
