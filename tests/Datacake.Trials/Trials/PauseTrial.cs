using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial that stops one of three nodes (SIGSTOP) or unplugs its cable, while another node keeps saving at Quorum and All. It measures the time
/// until saves at All are refused. The median must be below 6 s, and no save at Quorum may ever wait longer than that.
/// </summary>
sealed class PauseTrial(TrialRun run, Cluster cluster)
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(6), GiveUp = TimeSpan.FromSeconds(40), Settle = TimeSpan.FromSeconds(2);

    ClusterNode Writer => cluster[0];

    ClusterNode Victim => cluster[2];

    public static async Task RunAsync(TrialRun run)
    {
        var cluster = await Cluster.OnWireAsync(run, 3, run.Folder);
        await cluster.FormAsync();
        var trial = new PauseTrial(run, cluster);
        int rounds = run.Number("rounds", 10);
        var victim = trial.Victim;
        await trial.MeasureAsync("paused", rounds, victim.Pause, victim.Resume);
        await trial.MeasureAsync("unplugged", rounds, () => cluster.Wire!.Unplug(victim.Host!), () => cluster.Wire!.Plug(victim.Host!));
    }

    async Task MeasureAsync(string what, int rounds, Action begin, Action end)
    {
        var refused = new List<double>();
        double longestQuorum = 0;
        int failedQuorum = 0;
        for (int round = 1; round <= rounds; round++)
        {
            using var ending = new CancellationTokenSource();
            var quorum = SaveAtQuorumAsync(ending.Token);
            await run.WaitAsync(Settle);
            begin();
            var took = await UntilRefusedAsync();
            refused.Add(took.TotalSeconds);
            await run.WaitAsync(Settle);
            end();
            var met = await cluster.TryMeetAsync(GiveUp, run.Verdict.Say);
            await ending.CancelAsync();
            var (longest, failed) = await quorum;
            longestQuorum = Math.Max(longestQuorum, longest);
            failedQuorum += failed;
            run.Verdict.Say($"{what} {round}: saves at All refused after {took.TotalSeconds:F2} s; in session {met?.TotalSeconds ?? double.NaN:F2} s after the end; longest save at Quorum {longest:F0} ms");
        }
        refused.Sort();
        double median = refused[refused.Count / 2];
        run.Verdict.Say($"{what}: times until refusal, in s: {string.Join(' ', refused.Select(time => FormattableString.Invariant($"{time:F2}")))}");
        run.Verdict.Require(median < Limit.TotalSeconds, $"{what}: saves at All are refused within {Limit.TotalSeconds} s (median {median:F2} s)");
        run.Verdict.Require(longestQuorum < Limit.TotalMilliseconds, $"{what}: no save at Quorum waits {Limit.TotalSeconds} s (longest {longestQuorum / 1000:F2} s)");
        run.Verdict.Require(failedQuorum == 0, $"{what}: no save at Quorum fails ({failedQuorum} did)");
    }

    // Saves at All that were sent before the node is known to be down keep waiting. New saves show when the first is refused.
    async Task<TimeSpan> UntilRefusedAsync()
    {
        long start = TimeProvider.System.GetTimestamp();
        var pending = new List<Task<Answer>>();
        while (TimeProvider.System.GetElapsedTime(start) < GiveUp)
        {
            pending.Add(Writer.PutAsync(1, Consistency.All));
            await run.WaitAsync(TimeSpan.FromMilliseconds(50));
            if (pending.Any(save => save.IsCompletedSuccessfully && save.Result.Error == nameof(NotEnoughNodesException)))
                break;
        }
        var took = TimeProvider.System.GetElapsedTime(start);
        await Task.WhenAll(pending);
        return took;
    }

    async Task<(double LongestMilliseconds, int Failed)> SaveAtQuorumAsync(CancellationToken ending)
    {
        double longest = 0;
        int failed = 0;
        while (!ending.IsCancellationRequested)
        {
            var answer = await Writer.PutAsync(2, Consistency.Quorum);
            longest = Math.Max(longest, answer.Milliseconds);
            failed += answer.IsDone ? 0 : 1;
            await run.WaitAsync(TimeSpan.FromMilliseconds(10));
        }
        return (longest, failed);
    }
}
