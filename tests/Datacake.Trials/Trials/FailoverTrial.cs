using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial that kills the sequencer of three nodes (SIGKILL) again and again, and measures the time until a serial write at another node succeeds. The median must be below 2 s with the LAN
/// preset of the gossip, and below 1 s with the local one.
/// </summary>
static class FailoverTrial
{
    static readonly TimeSpan GiveUp = TimeSpan.FromMinutes(1), Settle = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(TrialRun run)
    {
        await MeasureAsync(run, "LAN", isGossipLocal: false, TimeSpan.FromSeconds(2));
        await MeasureAsync(run, "local", isGossipLocal: true, TimeSpan.FromSeconds(1));
    }

    static async Task MeasureAsync(TrialRun run, string preset, bool isGossipLocal, TimeSpan limit)
    {
        var cluster = Cluster.OnLoopback(run, 3, run.SubFolder(preset), isGossipLocal);
        await cluster.FormAsync();
        int rounds = run.Number("rounds", 20);
        var times = new List<double>();
        for (int round = 1; round <= rounds; round++)
        {
            var sequencer = await FindSequencerAsync(run, cluster);
            await run.WaitAsync(Settle);
            var writer = cluster.Nodes[run.Random.Next(2)] is var first && first != sequencer ? first : cluster[2];
            run.Verdict.Require((await AppendAsync(writer, -round)).IsDone, $"{preset} {round}: node {writer.Id} writes before the sequencer, node {sequencer.Id}, is killed");
            await sequencer.KillAsync();
            Answer answer = new(0);
            var took = await cluster.MeasureAsync(async () => (answer = await AppendAsync(writer, round)).IsDone, GiveUp);
            times.Add(took.TotalSeconds);
            if (!answer.IsDone)
                run.Verdict.Require(false, $"{preset} {round}: node {writer.Id} writes again within {GiveUp.TotalSeconds} s{answer.Problem}");
            await sequencer.StartAsync();
            await sequencer.RequireAsync(new Command(CommandKind.AwaitJoined));
            await cluster.MeetAsync(GiveUp);
        }
        times.Sort();
        run.Verdict.Say($"{preset}: times until a write succeeds, in s: {string.Join(' ', times.Select(time => FormattableString.Invariant($"{time:F2}")))}");
        double median = times[times.Count / 2];
        run.Verdict.Require(median < limit.TotalSeconds, FormattableString.Invariant($"{preset}: writes succeed within {limit.TotalSeconds} s after the sequencer was killed (median {median:F2} s)"));
    }

    /// <summary>Returns the sequencer, once all nodes vote and agree on it.</summary>
    static async Task<ClusterNode> FindSequencerAsync(TrialRun run, Cluster cluster)
    {
        Answer[] answers = [];
        var took = await cluster.MeasureAsync(
            async () =>
            {
                answers = await Task.WhenAll(cluster.Nodes.Select(static node => node.RequireAsync(new Command(CommandKind.Members))));
                return answers.All(answer => answer.Voters == cluster.Nodes.Count && answer.Sequencer == answers[0].Sequencer && answer.Sequencer > 0);
            },
            GiveUp);
        if (took >= GiveUp)
            throw new TimeoutException($"Not all nodes vote after {GiveUp.TotalSeconds} s: {string.Join("; ", answers.Select(static answer => $"{answer.Voters} voters, sequencer {answer.Sequencer}"))}.");
        run.Cancellation.ThrowIfCancellationRequested();
        return cluster.Nodes.Single(node => node.Id == answers[0].Sequencer);
    }

    static Task<Answer> AppendAsync(ClusterNode node, int number) =>
        node.SendAsync(new Command(CommandKind.Append) { Number = number, Lists = ["failover"], Appends = 1, HasBarrier = false });
}
