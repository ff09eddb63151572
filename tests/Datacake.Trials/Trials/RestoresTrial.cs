using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial with histories of three nodes under load in which a copy of a node's own files, up to 30 s old, is restored once or twice in a row, with
/// the network up or cut. At the end all nodes must show the same content and have everything that a node other than the restored one had
/// acknowledged.
/// </summary>
static class RestoresTrial
{
    const double MinAge = 0.1, MaxAge = 30;

    public static async Task RunAsync(TrialRun run)
    {
        int histories = run.Number("histories", 200);
        int? only = run.Text("only") is null ? null : run.Number("only", 0);
        var numbers = only is { } one ? [one] : Enumerable.Range(0, histories);
        int failed = 0, done = 0;
        var ages = new List<double>();
        await Parallel.ForEachAsync(numbers, new ParallelOptions { MaxDegreeOfParallelism = run.Number("parallel", 3), CancellationToken = run.Cancellation }, async (number, _) =>
        {
            var restore = new Restore(run, number, HashCode.Combine(run.Seed, number));
            var wrong = await restore.RunAsync();
            lock (ages)
            {
                ages.Add(restore.Age);
                done++;
                if (wrong.Count > 0)
                    failed++;
            }
            if (wrong.Count > 0 || only is not null)
                run.Verdict.Say($"history {number} ({restore}): {(wrong.Count == 0 ? "right" : "WRONG")}");
            foreach (string sentence in wrong.Take(4))
                run.Verdict.Say("          " + sentence);
            if (done % 20 == 0)
                run.Verdict.Say($"{done} histories, {failed} wrong");
        });
        ages.Sort();
        run.Verdict.Say($"ages of the copies, in s: minimum {ages[0]:F1}, median {ages[ages.Count / 2]:F1}, maximum {ages[^1]:F1}");
        run.Verdict.Require(failed == 0, $"after a restore, all nodes agree and nothing that others acknowledged is lost: {done} histories, {failed} wrong");
    }

    /// <summary>One history.</summary>
    sealed class Restore(TrialRun run, int number, int seed)
    {
        static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(45);

        readonly Random _random = new(seed);
        readonly History _history = new();
        string _what = "";

        public double Age { get; private set; }

        public override string ToString() => $"--seed {run.Seed} --only {number}: {_what}";

        public async Task<IReadOnlyList<string>> RunAsync()
        {
            string folder = run.SubFolder($"history{number}");
            await using var cluster = await Cluster.OnWireAsync(run, 3, folder, isGossipLocal: true);
            try
            {
                await cluster.FormAsync();
                await cluster[0].RequireAsync(new Command(CommandKind.AddTallies) { Count = Load.Tallies, Level = Consistency.All });
                await using (new Load(cluster, _history, seed, 2, TimeSpan.FromMilliseconds(20), _ => [Consistency.Quorum, Consistency.None, Consistency.All]))
                    await RestoreAsync(cluster, Path.Combine(folder, "copy"));
                var wrong = await CheckAsync(cluster);
                if (wrong.Count == 0)
                    await CleanAsync(cluster, folder);
                return wrong;
            }
            catch (Exception e) when (e is InvalidOperationException or TimeoutException)
            {
                return [e.Message];
            }
        }

        static async Task CleanAsync(Cluster cluster, string folder)
        {
            await cluster.DisposeAsync();
            Directory.Delete(folder, recursive: true);
        }

        async Task RestoreAsync(Cluster cluster, string copy)
        {
            var victim = cluster[_random.Next(3)];
            var others = cluster.Nodes.Where(node => node != victim).ToArray();
            // Most copies are young: half of them are less than a second old.
            Age = MinAge * Math.Pow(MaxAge / MinAge, Math.Pow(_random.NextDouble(), 1.5));
            bool isCut = _random.Next(2) == 0, areOthersKilled = _random.Next(4) == 0, isInOrder = _random.Next(3) == 0;
            int times = _random.Next(3) == 0 ? 2 : 1;
            _what = FormattableString.Invariant($"node {victim.Id}, a copy {Age:F1} s old, restored {times} times")
                + (isCut ? ", while cut off" : "") + (areOthersKilled ? ", the others killed" : "") + (isInOrder ? ", copied after a stop in order" : "");

            await SpendAsync(0.3, 2);
            await (isInOrder ? victim.StopAsync() : victim.KillAsync());
            long since = Environment.TickCount64;
            victim.CopyFilesTo(copy);
            await victim.StartAsync();
            await run.WaitAsync(TimeSpan.FromSeconds(Age));

            for (int time = 0; time < times; time++)
            {
                await victim.KillAsync();
                if (areOthersKilled)
                    await Task.WhenAll(others.Select(node => node.KillAsync()));
                if (isCut)
                    cluster.Wire!.Unplug(victim.Host!);
                victim.RestoreFilesFrom(copy);
                await SpendAsync(0.05, 0.2);        // lets answers in flight be recorded
                _history.Excuse(victim.Id, since);
                await victim.StartAsync();
                await SpendAsync(0.1, 3);
                if (areOthersKilled)
                    await Task.WhenAll(others.Select(node => node.StartAsync()));
                if (isCut)
                {
                    await SpendAsync(0.1, 2);
                    cluster.Wire!.Heal();
                }
                await SpendAsync(0.1, 3);
            }
            await cluster.TryMeetAsync(GiveUp, _ => { });
            await SpendAsync(0.3, 1);
        }

        async Task<IReadOnlyList<string>> CheckAsync(Cluster cluster)
        {
            await cluster.MeetAsync(GiveUp);
            var (contents, isEqual) = await cluster.ConvergeAsync(GiveUp);
            var wrong = new List<string>();
            if (!isEqual)
            {
                var first = contents[1];
                int different = contents.Values.SelectMany(content => content.Keys).Distinct()
                    .Count(key => contents.Values.Any(content => content.GetValueOrDefault(key) != first.GetValueOrDefault(key)));
                wrong.Add($"the nodes differ in {different} documents after {GiveUp.TotalSeconds} s");
            }
            foreach (var (node, content) in contents)
                wrong.AddRange(_history.Check(node, content));
            if (_history.Acknowledged < 10)
                wrong.Add($"only {_history.Acknowledged} writes were acknowledged");
            return wrong;
        }

        Task SpendAsync(double least, double most) => run.WaitAsync(TimeSpan.FromSeconds(least + ((most - least) * _random.NextDouble())));
    }
}
