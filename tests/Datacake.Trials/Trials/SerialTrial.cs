using Datacake.Tests;
using Datacake.Trials.Driving;
using Datacake.Trials.Network;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial that runs serial transactions over lists, and transfers between accounts, at three or five nodes, while one fault follows another. Afterwards, what the clients saw must be strictly
/// serializable, which a checker finds out from the history alone.
/// </summary>
static class SerialTrial
{
    const int ClientsPerNode = 3;
    static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(TrialRun run)
    {
        var cluster = await Cluster.OnWireAsync(run, run.Number("nodes", 3), run.Folder);
        await cluster.FormAsync();
        foreach (var node in cluster.Nodes)
            node.Settings = node.Settings with { Seeds = [.. Enumerable.Range(1, StormFaults.Addresses).Select(Cluster.SeedOf)] };
        var faults = new StormFaults(run, cluster);
        var time = TimeSpan.FromMinutes(run.Fraction("minutes", 30));
        long start = TimeProvider.System.GetTimestamp();
        var load = new SerialLoad(cluster, run.Seed, ClientsPerNode);
        var bank = new BankLoad(cluster, run.Seed);
        var recovered = new List<(string Fault, double Seconds)>();
        try
        {
            await run.WaitAsync(TimeSpan.FromSeconds(3));
            while (TimeProvider.System.GetElapsedTime(start) < time)
            {
                cluster.Wire!.Default = run.Random.Next(2) == 0 ? LinkConditions.Poor : LinkConditions.Good;
                var length = TimeSpan.FromSeconds(1 + (run.Random.NextDouble() * 12));
                string fault = await faults.RunAsync(run.Text("only"), run.Text("without"), length);
                var took = await cluster.MeasureAsync(async () => (await load.RunAsync(cluster[0], ["list0"], appends: 0, hasBarrier: true)).IsDone, GiveUp);
                recovered.Add((fault, took.TotalSeconds));
                if (took >= GiveUp)
                    run.Verdict.Require(false, $"serial transactions succeed within 60 s after: {fault}");
                await run.WaitAsync(TimeSpan.FromSeconds(1 + (2 * run.Random.NextDouble())));
            }
            await faults.CalmAsync();
        }
        finally
        {
            await load.DisposeAsync();
            await bank.DisposeAsync();
        }
        await CheckAsync(run, cluster, load, bank);
        run.Verdict.Print("Transactions", load.Table());
        run.Verdict.Print("Time until serial reads succeed after a fault", [["fault", "times", "median s", "max s"],
            .. recovered.GroupBy(static each => each.Fault).OrderBy(static kind => kind.Key).Select(static kind =>
            {
                double[] times = [.. kind.Select(static each => each.Seconds).Order()];
                return new[] { kind.Key, $"{times.Length}", FormattableString.Invariant($"{times[times.Length / 2]:F2}"), FormattableString.Invariant($"{times[^1]:F2}") };
            })]);
    }

    static async Task CheckAsync(TrialRun run, Cluster cluster, SerialLoad load, BankLoad bank)
    {
        await cluster.MeetAsync(GiveUp);
        foreach (var node in cluster.Nodes)
        {
            bool isRead = true;
            foreach (string list in load.Lists)
                isRead &= (await load.RunAsync(node, [list], appends: 0, hasBarrier: true)).IsDone;
            run.Verdict.Require(isRead, $"node {node.Id} reads all lists serially at the end");
        }
        var history = load.History;
        var anomalies = SerializabilityChecker.Check(history);
        run.Verdict.Require(history.Count(static transaction => transaction.IsDone == true && transaction.Appends.Count > 0) > 100, "more than 100 transactions have appended");
        run.Verdict.Require(anomalies.Count == 0, $"the history of {history.Count} transactions is strictly serializable");
        var losses = await bank.CheckAsync(cluster[0]);
        run.Verdict.Require(bank.Transfers > 50 && bank.Audits > 20, $"{bank.Transfers} transfers between accounts were made, and all accounts were seen at once {bank.Audits} times");
        run.Verdict.Require(losses.Count == 0, "no money is made or lost, and no account is overdrawn");
        foreach (string anomaly in anomalies.Concat(losses).Take(20))
            run.Verdict.Say("          " + anomaly);
    }
}
