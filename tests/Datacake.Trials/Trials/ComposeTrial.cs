using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial that starts three fresh nodes as in a compose file or a headless service: each listens at its own host name, the only seed is a name
/// that resolves to all three, and TLS uses names. In every round, they must have joined and be in session within 5 s of the start of the nodes
/// (the runtime starts before that).
/// </summary>
static class ComposeTrial
{
    const int Nodes = 3, Rounds = 10, Port = 7001;
    const string Service = "cake";
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(5), GiveUp = TimeSpan.FromSeconds(20);

    public static async Task RunAsync(TrialRun run)
    {
        string hosts = "127.0.0.1 localhost\n" + string.Concat(Enumerable.Range(1, Nodes)
            .Select(id => $"{Cluster.AddressOf(id)} {NameOf(id)}\n{Cluster.AddressOf(id)} {Service}\n"));
        using var authority = new CertificateAuthority(run.SubFolder("certificates"));
        var cluster = await Cluster.OnWireAsync(run, Nodes, run.Folder, hostsFile: _ => hosts);
        foreach (var node in cluster.Nodes)
        {
            node.Settings = node.Settings with
            {
                Listen = $"{NameOf(node.Id)}:{Port}",
                Seeds = [$"{Service}:{Port}"],
                CertificateFile = run.Flag("plain") ? null : authority.Issue(NameOf(node.Id), Service),
                AuthorityFile = authority.RootFile,
            };
        }

        var times = new List<double>();
        for (int round = 1; round <= (run.Flag("once") ? 1 : Rounds); round++)
        {
            var took = await FormAsync(cluster, run.Verdict);
            times.Add(took.TotalSeconds);
            run.Verdict.Require(took <= Limit, $"round {round}: all have joined and are in session within {Limit.TotalSeconds} s; it took {took.TotalSeconds:F2} s");
            if (took < GiveUp)
            {
                var saved = await cluster[Nodes - 1].PutAsync(1, Consistency.All);
                run.Verdict.Require(saved.IsDone, $"round {round}: a save at All succeeds{saved.Problem}");
            }
            foreach (var node in cluster.Nodes)
            {
                await node.KillAsync();
                node.Wipe();
            }
        }
        times.Sort();
        run.Verdict.Say($"times to form, in s: {string.Join(' ', times.Select(time => FormattableString.Invariant($"{time:F2}")))}; median {times[times.Count / 2]:F2}");
    }

    static string NameOf(int id) => $"{Service}-{id}";

    static async Task<TimeSpan> FormAsync(Cluster cluster, Verdict verdict)
    {
        await Task.WhenAll(cluster.Nodes.Select(node => node.LaunchAsync()));
        long start = TimeProvider.System.GetTimestamp();
        foreach (var failed in (await Task.WhenAll(cluster.Nodes.Select(node => node.TryStartAsync()))).Where(answer => !answer.IsDone))
        {
            verdict.Say($"a node does not start: {failed.Error}: {failed.Message}");
            return GiveUp;
        }
        string views = "";
        await cluster.MeasureAsync(
            async () =>
            {
                var answers = await Task.WhenAll(cluster.Nodes.Select(node => node.SendAsync(new Command(CommandKind.Members))));
                views = string.Join("; ", answers.Select(answer => $"joined {answer.IsJoined}, {answer.Members.Count(member => member.IsUp)} up"));
                return answers.All(answer => answer.IsJoined && answer.Members.Count(member => member.IsUp) == Nodes);
            },
            GiveUp);
        var took = TimeProvider.System.GetElapsedTime(start);
        if (took >= GiveUp)
            verdict.Say($"given up: {views}");
        return took;
    }
}
