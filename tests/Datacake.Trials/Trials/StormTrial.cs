using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Network;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial that runs three nodes under load while one fault follows another. After each fault, all nodes must be in session with each other within
/// 10 s. At the end all must show the same content with no acknowledged write lost, and memory and handles must be bounded.
/// </summary>
sealed class StormTrial
{
    const int Nodes = 3, WritersPerNode = 3;
    static readonly TimeSpan MeetLimit = TimeSpan.FromSeconds(10), GiveUp = TimeSpan.FromSeconds(60);

    readonly TrialRun _run;
    readonly Cluster _cluster;
    readonly StormFaults _faults;
    readonly List<(string Fault, TimeSpan Length, TimeSpan? Met, double Saved)> _measured = [];
    readonly List<(TimeSpan At, byte Node, ProcessFigures Figures)> _figures = [];

    StormTrial(TrialRun run, Cluster cluster)
    {
        (_run, _cluster) = (run, cluster);
        _faults = new StormFaults(run, cluster);
    }

    public static async Task RunAsync(TrialRun run)
    {
        var cluster = await Cluster.OnWireAsync(run, Nodes, run.Folder);
        await new StormTrial(run, cluster).RunAsync(TimeSpan.FromMinutes(run.Fraction("minutes", 20)));
    }

    async Task RunAsync(TimeSpan time)
    {
        await _cluster.FormAsync();
        await _cluster[0].RequireAsync(new Command(CommandKind.AddTallies) { Count = Load.Tallies, Level = Consistency.All });
        foreach (var node in _cluster.Nodes)
            node.Settings = node.Settings with { Seeds = [.. Enumerable.Range(1, StormFaults.Addresses).Select(Cluster.SeedOf)] };

        var history = new History();
        await using (var load = new Load(_cluster, history, _run.Seed, WritersPerNode, TimeSpan.FromMilliseconds(25),
            _ => [Consistency.Quorum, Consistency.Quorum, Consistency.None, Consistency.All]))
        {
            long start = TimeProvider.System.GetTimestamp();
            await _run.WaitAsync(TimeSpan.FromSeconds(3));
            await MeasureAsync(TimeSpan.Zero);
            while (TimeProvider.System.GetElapsedTime(start) < time)
            {
                await FaultAsync();
                await MeasureAsync(TimeProvider.System.GetElapsedTime(start));
            }
            _run.Verdict.Say("calm");
            await _faults.CalmAsync();
            await load.DisposeAsync();
            _run.Verdict.Print("Writes", load.Table());
        }
        await CheckAsync(history);
    }

    async Task FaultAsync()
    {
        bool isPoor = _run.Random.Next(2) == 0;
        _cluster.Wire!.Default = isPoor ? LinkConditions.Poor : LinkConditions.Good;
        var length = TimeSpan.FromSeconds(1 + (_run.Random.NextDouble() * _run.Random.NextDouble() * 25));
        string fault = await _faults.RunAsync(_run.Text("only"), _run.Text("without"), length) + (isPoor ? ", 5 % loss" : "");

        var met = await _cluster.TryMeetAsync(GiveUp, _run.Verdict.Say);
        // Being in session is only useful if a save reaches all nodes.
        var saved = await _cluster.MeasureAsync(
            async () => (await Task.WhenAll(_cluster.Nodes.Select(node => node.PutAsync(0, Consistency.All, keyspace: "probe")))).All(answer => answer.IsDone),
            GiveUp);
        _measured.Add((fault, length, met, saved.TotalSeconds));
        if (met is { } time && time <= MeetLimit)
            _run.Verdict.Say($"{fault} for {length.TotalSeconds:F1} s: in session after {time.TotalSeconds:F2} s, saves at All succeed {saved.TotalSeconds:F2} s later");
        else
            _run.Verdict.Require(false, $"all nodes are in session within 10 s after: {fault} for {length.TotalSeconds:F1} s; it took {met?.TotalSeconds ?? double.PositiveInfinity:F1} s");
        if (saved >= GiveUp)
            _run.Verdict.Require(false, $"saves at All succeed within 60 s after: {fault}");
        await _run.WaitAsync(TimeSpan.FromSeconds(1 + (2 * _run.Random.NextDouble())));
    }

    async Task MeasureAsync(TimeSpan at)
    {
        foreach (var node in _cluster.Nodes)
        {
            if ((await node.SendAsync(new Command(CommandKind.Figures))).Figures is { } figures)
                _figures.Add((at, node.Id, figures));
        }
    }

    async Task CheckAsync(History history)
    {
        var (contents, isEqual) = await _cluster.ConvergeAsync(TimeSpan.FromSeconds(60));
        _run.Verdict.Require(isEqual, "all nodes show the same content within 60 s");
        foreach (var (node, content) in contents)
        {
            var wrong = history.Check(node, content);
            _run.Verdict.Require(wrong.Count == 0, $"node {node} shows every acknowledged write or a later one, and counters add up");
            foreach (string sentence in wrong.Take(20))
                _run.Verdict.Say("          " + sentence);
        }
        _run.Verdict.Require(history.Acknowledged > 100, $"writes were acknowledged: {history.Acknowledged}");
        _run.Verdict.Print("Outcomes of writes", [["outcome", "count"], .. history.Outcomes.Select(each => new[] { each.Key, $"{each.Value:N0}" })]);

        var kinds = _measured.GroupBy(each => each.Fault.Split(',')[0]).OrderBy(kind => kind.Key);
        _run.Verdict.Print("Time until all are in session", [["fault", "times", "median s", "max s", "max until saves at All s"],
            .. kinds.Select(kind =>
            {
                double[] times = [.. kind.Select(each => each.Met?.TotalSeconds ?? double.PositiveInfinity).Order()];
                return new[] { kind.Key, $"{times.Length}", FormattableString.Invariant($"{times[times.Length / 2]:F2}"),
                    FormattableString.Invariant($"{times[^1]:F2}"), FormattableString.Invariant($"{kind.Max(each => each.Saved):F2}") };
            })]);
        await MeasureAsync(TimeSpan.MaxValue);
        CheckFigures();
    }

    void CheckFigures()
    {
        const double MaxManaged = 150, MaxResident = 500;
        const int MaxHandles = 400, MaxThreads = 100;
        _run.Verdict.Print("Use of the machine: first / last / most", [["node", "managed MB", "resident MB", "handles", "threads"],
            .. _figures.GroupBy(each => each.Node).OrderBy(node => node.Key).Select(node =>
            {
                ProcessFigures[] figures = [.. node.Select(each => each.Figures)];
                return new[] { $"{node.Key}", Line(figures, each => each.ManagedMegabytes), Line(figures, each => each.ResidentMegabytes),
                    Line(figures, each => each.Handles), Line(figures, each => each.Threads) };
            })]);
        var all = _figures.Select(each => each.Figures).ToArray();
        _run.Verdict.Require(all.Max(each => each.ManagedMegabytes) < MaxManaged, $"the managed heap stays below {MaxManaged} MB");
        _run.Verdict.Require(all.Max(each => each.ResidentMegabytes) < MaxResident, $"the resident memory stays below {MaxResident} MB");
        _run.Verdict.Require(all.Max(each => each.Handles) < MaxHandles, $"a process has fewer than {MaxHandles} handles");
        _run.Verdict.Require(all.Max(each => each.Threads) < MaxThreads, $"a process has fewer than {MaxThreads} threads");

        static string Line(ProcessFigures[] figures, Func<ProcessFigures, double> of) =>
            FormattableString.Invariant($"{of(figures[0]):F0} / {of(figures[^1]):F0} / {figures.Max(of):F0}");
    }
}
