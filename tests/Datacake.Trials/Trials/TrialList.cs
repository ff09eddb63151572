using Datacake.Trials.Driving;

namespace Datacake.Trials.Trials;

/// <summary>A trial that can be run by name.</summary>
/// <param name="Name">The first argument of the program.</param>
/// <param name="Summary">A sentence for the help text.</param>
/// <param name="Options">The names of the trial's options, besides <c>seed</c> and <c>folder</c>.</param>
/// <param name="RunAsync">Runs the trial and reports violations to the verdict.</param>
sealed record Trial(string Name, string Summary, string[] Options, Func<TrialRun, Task> RunAsync);

/// <summary>All trials.</summary>
static class TrialList
{
    static readonly Trial[] All =
    [
        new("storm", "Loss, partitions, clock steps, kills, pauses and moves under load: nothing acknowledged is lost.", ["minutes", "only", "without"], StormTrial.RunAsync),
        new("serial", "Serial transactions under partitions, clock steps, kills and pauses: the history is strictly serializable.", ["minutes", "nodes", "only", "without"], SerialTrial.RunAsync),
        new("failover", "The node that orders serial transactions is killed: writes succeed again within 2 s.", ["rounds"], FailoverTrial.RunAsync),
        new("restores", "Copies of a node's own files are restored: all nodes agree and lose nothing that others acknowledged.", ["histories", "parallel", "only"], RestoresTrial.RunAsync),
        new("compose", "Host names, one name for all as the only seed, TLS by name: formed within 5 s.", ["once", "plain"], ComposeTrial.RunAsync),
        new("pause", "A node stops or loses its cable: levels that need it are refused within 6 s.", ["rounds"], PauseTrial.RunAsync),
        new("away", "A node returns after many changes: measures documents per second, and the cost for the others.", ["documents", "rate"], AwayTrial.RunAsync),
        new("expiry", "A million documents expire within a minute: they leave all stores, and no file grows.", ["documents", "filling"], ExpiryTrial.RunAsync),
        new("stores", "Three nodes hold a thousand named stores: start, memory and processor time at rest, and a flood in one store.", ["stores"], StoresTrial.RunAsync),
        new("followers", "Three hundred followers of one member: the rate of saves, and how far a follower is behind.", ["followers", "rate"], FollowersTrial.RunAsync),
        new("projection", "A projection into PostgreSQL loads and follows, and equals the store after kills of its process and of the database.", ["rows", "rate", "seconds", "kills"], ProjectionTrial.RunAsync),
        new("large", "A document grows beyond the limit by concurrent edits and still reaches every node.", [], LargeTrial.RunAsync),
        new("nat", "A node that can dial but cannot be dialed joins, replicates and reads.", [], NatTrial.RunAsync),
        new("attacks", "Strangers and members send expensive requests: honest work continues, and memory stays bounded.", ["only", "seconds"], AttacksTrial.RunAsync),
        new("faults", "The faults F1 to F10 of earlier field trials, each with a verdict.", ["only"], FaultsTrial.RunAsync),
    ];

    public static Trial? Find(string name) => All.FirstOrDefault(trial => trial.Name == name);

    public static void WriteHelp(TextWriter output, string[] arguments)
    {
        if (arguments is [var unknown, ..] && !unknown.StartsWith('-'))
            output.WriteLine($"The trial '{unknown}' does not exist.");
        output.WriteLine("Usage: dotnet run -c Release --project tests/Datacake.Trials -- TRIAL [--seed N] [--folder PATH] [OPTIONS]");
        output.WriteLine();
        foreach (var trial in All)
        {
            output.WriteLine($"  {trial.Name,-10}{trial.Summary}");
            if (trial.Options.Length > 0)
                output.WriteLine($"            options: {string.Join(", ", trial.Options.Select(option => $"--{option}"))}");
        }
        output.WriteLine();
        output.WriteLine("The exit code is 0 if every requirement is met, 1 if one is violated, and 2 if the arguments are wrong. See README.md.");
    }
}
