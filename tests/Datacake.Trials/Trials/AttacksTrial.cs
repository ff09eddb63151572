using System.Diagnostics;
using System.Globalization;
using Datacake.EventualConsistency;
using Datacake.Trials.Attacks;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial that attacks one of three nodes from another process while the node does honest work. The attackers are strangers that reach its port,
/// or a member. The attacker also uses a part of the machine's cores.
/// </summary>
static class AttacksTrial
{
    const int Nodes = 3, Writers = 32, Length = 200, Documents = 400, DocumentLength = 8_000;
    const double LeastLocal = 0.8, LeastAll = 0.5, MostMemory = 2;

    static readonly string[] Header = ["attack", "local puts/s", "saves at All/s", "peak MB", "attacks/s"];

    public static async Task RunAsync(TrialRun run)
    {
        double seconds = run.Fraction("seconds", 5);
        var rows = new List<string[]> { Header };
        double calmPeak = 0;
        foreach (string kind in Attacker.Kinds.Prepend(""))
        {
            if (kind.Length > 0 && run.Text("only") is { } only && !kind.StartsWith(only, StringComparison.Ordinal))
                continue;
            string name = kind.Length == 0 ? "none" : kind;
            var result = await MeasureAsync(run, kind, seconds);
            calmPeak = calmPeak == 0 ? result.Peak : calmPeak;
            rows.Add([
                name,
                string.Create(CultureInfo.InvariantCulture, $"{result.CalmLocal:N0} → {result.Local:N0} ({result.Local / result.CalmLocal:P0})"),
                string.Create(CultureInfo.InvariantCulture, $"{result.CalmAll:N0} → {result.All:N0} ({result.All / result.CalmAll:P0})"),
                string.Create(CultureInfo.InvariantCulture, $"{result.Peak:N0}"),
                string.Create(CultureInfo.InvariantCulture, $"{result.Rate:N1}")]);
            if (kind.Length == 0)
                continue;
            run.Verdict.Require(result.Local >= LeastLocal * result.CalmLocal, FormattableString.Invariant($"{name}: local puts run at {result.Local / result.CalmLocal:P0} of the undisturbed rate (at least 80 %)"));
            run.Verdict.Require(result.All >= LeastAll * result.CalmAll, FormattableString.Invariant($"{name}: saves at All run at {result.All / result.CalmAll:P0} of the undisturbed rate (at least 50 %)"));
            run.Verdict.Require(result.Peak < MostMemory * calmPeak, FormattableString.Invariant($"{name}: peak memory is {result.Peak / calmPeak:F2} times that of undisturbed work (less than 2)"));
        }
        run.Verdict.Print("Honest work during attacks", rows);
    }

    static async Task<(double CalmLocal, double Local, double CalmAll, double All, double Peak, double Rate)> MeasureAsync(TrialRun run, string kind, double seconds)
    {
        string secret = Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(16));
        await using var cluster = Cluster.OnLoopback(run, Nodes, run.SubFolder(kind.Length == 0 ? "none" : kind.Replace(' ', '-')));
        foreach (var node in cluster.Nodes)
            node.Settings = node.Settings with { Secret = secret, IsGossipUdp = true, IsBuffered = true };
        await cluster.FormAsync();
        await cluster[0].RequireAsync(new Command(CommandKind.Fill) { Keyspace = FaultyMember.Keyspace, Count = Documents, Length = DocumentLength, Level = Consistency.All });
        // Freshly compiled code is slower than it will be, which would flatter every row.
        foreach (var level in new[] { Consistency.None, Consistency.All, Consistency.None })
            await PutAsync(cluster[0], level, seconds / 2, 0);
        double calmLocal = await PutAsync(cluster[0], Consistency.None, seconds, 1), calmAll = await PutAsync(cluster[0], Consistency.All, seconds, 2);
        double local = 0, all = 0, rate = 0;
        using (var attacker = kind.Length == 0 ? null : Attacker.Start(kind, cluster[0].Settings.Listen, secret))
        {
            // The attacker first compiles its own code, which is not an attack.
            await Task.Delay(TimeSpan.FromSeconds(4), run.Cancellation);
            local = await PutAsync(cluster[0], Consistency.None, seconds, 3);
            all = await PutAsync(cluster[0], Consistency.All, seconds, 4);
            if (attacker is not null)
                rate = await StopAsync(attacker);
        }
        // Averages with a second measurement, since changes of speed over time are not caused by the attacker.
        calmLocal = (calmLocal + await PutAsync(cluster[0], Consistency.None, seconds, 5)) / 2;
        calmAll = (calmAll + await PutAsync(cluster[0], Consistency.All, seconds, 6)) / 2;
        var figures = (await cluster[0].RequireAsync(new Command(CommandKind.Figures))).Figures!;
        return (calmLocal, local, calmAll, all, figures.PeakMegabytes, rate);
    }

    static async Task<double> PutAsync(ClusterNode node, Consistency level, double seconds, long part)
    {
        var answer = await node.RequireAsync(new Command(CommandKind.PutFor) { Seconds = seconds, Count = Writers, Length = Length, Number = part << 32, Level = level });
        return answer.Number / seconds;
    }

    /// <summary>Ends the attacker, and returns its number of attacks per second.</summary>
    static async Task<double> StopAsync(Process attacker)
    {
        attacker.StandardInput.Close();
        string said = await attacker.StandardOutput.ReadToEndAsync();
        await attacker.WaitForExitAsync();
        return double.TryParse(said, CultureInfo.InvariantCulture, out double rate) ? rate : double.NaN;
    }
}
