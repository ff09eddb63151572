using Datacake.EventualConsistency;
using Datacake.Trials.Driving;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Trials.Faults;

/// <summary>A node with an empty disk is read as soon as it has started, as by programs that fill an empty database.</summary>
static class EarlyReads
{
    const int Tallies = 100, Bulk = 50_000;

    public static async Task RunAsync(TrialRun run, string folder)
    {
        await using var cluster = Cluster.OnLoopback(run, 2, folder);
        var (first, fresh) = (cluster[0], cluster[1]);
        first.Settings = first.Settings with { Seeds = [first.Settings.Listen] };
        await first.StartAsync();
        await first.RequireAsync(new Command(CommandKind.AwaitJoined));
        await first.RequireAsync(new Command(CommandKind.Fill) { Keyspace = "bulk", Count = Bulk, Length = 100 });
        await first.RequireAsync(new Command(CommandKind.AddTallies) { Count = Tallies, Number = 1_000 });

        await fresh.StartAsync();
        var read = await fresh.SendAsync(new Command(CommandKind.Content) { Keyspace = "none" });
        if (!read.IsDone)
        {
            run.Verdict.Require(true, $"F2: a read before the join is refused: {read.Error}: {read.Message}");
            return;
        }
        int seen = read.Content?.Count ?? 0;
        var bulk = await fresh.SendAsync(new Command(CommandKind.Statistics) { Keyspace = "bulk" });
        run.Verdict.Require(seen == Tallies, $"F2: the first query on a fresh node sees all {Tallies} entities ({seen})");
        run.Verdict.Require(bulk.Number == Bulk, $"F2: the query also sees all {Bulk} documents ({bulk.Number})");
        if (seen == 0)
            await fresh.SendAsync(new Command(CommandKind.AddTallies) { Count = 3, Level = Consistency.All });
        await fresh.RequireAsync(new Command(CommandKind.AwaitJoined));
        await run.WaitAsync(TimeSpan.FromSeconds(1));
        var content = (await first.RequireAsync(new Command(CommandKind.Content) { Keyspace = "none" })).Content!;
        run.Verdict.Require(content.Values.All(value => value == "1000"), $"F2: a program that fills an empty database overwrites nothing (tally 1 is {content["tally 1"]}, was 1000)");
    }
}
