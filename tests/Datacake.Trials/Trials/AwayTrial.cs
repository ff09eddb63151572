using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial that keeps a node away while the others change very many small documents. The trial measures the rate at which the
/// node catches up, and the duration of the others' saves at Quorum before and meanwhile.
/// </summary>
static class AwayTrial
{
    const int Length = 40, Step = 50_000;
    static readonly TimeSpan GiveUp = TimeSpan.FromMinutes(30), Stuck = TimeSpan.FromMinutes(2);

    public static async Task RunAsync(TrialRun run)
    {
        int documents = run.Number("documents", 1_000_000);
        var cluster = Cluster.OnLoopback(run, 3, run.Folder, isGossipLocal: false);
        await cluster.FormAsync();
        var away = cluster[2];
        await cluster[0].RequireAsync(new Command(CommandKind.Put) { Number = 1, Length = Length, Keyspace = "probe", Level = Consistency.All });

        await away.StopAsync();
        long start = TimeProvider.System.GetTimestamp();
        for (int done = 0; done < documents; done += Step)
        {
            // Both other nodes write and wait for each other, so that only the absent node falls behind.
            int count = Math.Min(Step, documents - done);
            await cluster[(done / Step) % 2].RequireAsync(new Command(CommandKind.Fill) { Number = done, Count = count, Length = Length, Level = Consistency.One });
        }
        run.Verdict.Say($"{documents:N0} documents were written while the node was away, in {TimeProvider.System.GetElapsedTime(start).TotalSeconds:F0} s");
        await run.WaitAsync(TimeSpan.FromSeconds(5));
        var before = await SaveAsync(run, cluster[0], Task.Delay(TimeSpan.FromSeconds(5), run.Cancellation));

        start = TimeProvider.System.GetTimestamp();
        await away.StartAsync();
        var catchingUp = CatchUpAsync(run, away, documents);
        var during = await SaveAsync(run, cluster[0], catchingUp);
        long arrived = await catchingUp;
        var took = TimeProvider.System.GetElapsedTime(start);

        run.Verdict.Require(arrived == documents, $"the node has all {documents:N0} documents ({arrived:N0} in {took.TotalSeconds:F1} s: {arrived / took.TotalSeconds:F0} documents/s)");
        if (run.Number("rate", 0) is > 0 and var rate)
            run.Verdict.Require(arrived / took.TotalSeconds >= rate, $"the node receives at least {rate:N0} documents per second");
        run.Verdict.Require(during.Failed == 0, $"no save at Quorum of the others fails meanwhile ({during.Failed} of {during.Count} did)");
        run.Verdict.Print("Saves at Quorum of the others", [["when", "count", "p50 ms", "p99 ms", "max ms"], before.Row("before"), during.Row("meanwhile")]);
        bool isSame = false;
        await cluster.MeasureAsync(async () => isSame = await cluster.ShowTheSameAsync(), TimeSpan.FromMinutes(1));
        run.Verdict.Require(isSame, "all nodes show the same documents");
        var figures = (await away.RequireAsync(new Command(CommandKind.Figures))).Figures!;
        run.Verdict.Say($"the node that was away: managed {figures.ManagedMegabytes:F0} MB, resident {figures.ResidentMegabytes:F0} MB, {figures.Handles} handles");
    }

    static async Task<long> CatchUpAsync(TrialRun run, ClusterNode away, long documents)
    {
        long start = TimeProvider.System.GetTimestamp(), progressed = start, arrived = 0, said = 0;
        while (arrived < documents && TimeProvider.System.GetElapsedTime(start) < GiveUp && TimeProvider.System.GetElapsedTime(progressed) < Stuck)
        {
            await run.WaitAsync(TimeSpan.FromMilliseconds(250));
            long now = (await away.RequireAsync(new Command(CommandKind.Statistics))).Number;
            if (now > arrived)
                (arrived, progressed) = (now, TimeProvider.System.GetTimestamp());
            if (arrived - said >= documents / 5)
            {
                said = arrived;
                run.Verdict.Say($"{arrived:N0} documents have arrived after {TimeProvider.System.GetElapsedTime(start).TotalSeconds:F1} s");
            }
        }
        return arrived;
    }

    static async Task<Saves> SaveAsync(TrialRun run, ClusterNode node, Task until)
    {
        var saves = new Saves();
        while (!until.IsCompleted)
        {
            saves.Add(await node.PutAsync(1, Consistency.Quorum, Length, "probe"));
            await run.WaitAsync(TimeSpan.FromMilliseconds(5));
        }
        return saves;
    }

    /// <summary>The durations of one caller's saves.</summary>
    sealed class Saves
    {
        readonly List<double> _times = [];

        public int Failed { get; private set; }

        public int Count => _times.Count;

        public void Add(Answer answer)
        {
            _times.Add(answer.Milliseconds);
            Failed += answer.IsDone ? 0 : 1;
        }

        public string[] Row(string when)
        {
            _times.Sort();
            return [when, $"{Count:N0}", At(0.5), At(0.99), At(1)];

            string At(double quantile) => FormattableString.Invariant($"{_times[(int)((Count - 1) * quantile)]:F1}");
        }
    }
}
