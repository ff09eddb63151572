using System.Globalization;
using Datacake.Simulation.Exploration;
using Datacake.Simulation.Worlds;

bool trace = false, mutants = false;
string only = "";
string? theme = null;
int seeds = 1_000, first = 0, steps = 300, minMachines = 2, maxMachines = 6;

for (int i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--seeds":
            seeds = Number();
            break;
        case "--first":
            first = Number();
            break;
        case "--seed":
            (first, seeds) = (Number(), 1);
            break;
        case "--steps":
            steps = Number();
            break;
        case "--nodes":
            int[] range = [.. Value().Split('-').Select(text => int.Parse(text, CultureInfo.InvariantCulture))];
            (minMachines, maxMachines) = (range[0], range[^1]);
            break;
        case "--theme":
            theme = Value();
            break;
        case "--mutants":
            mutants = true;
            only = i + 1 < args.Length && !args[i + 1].StartsWith('-') ? args[++i] : "";
            break;
        case "--trace":
            trace = true;
            break;
        default:
            Console.Error.WriteLine($"The option {args[i]} is unknown. Usage: "
                + "[--seeds N] [--first N] [--seed N [--trace]] [--steps N] [--nodes MIN-MAX] [--theme NAME] [--mutants [NAME]]");
            return 2;
    }

    string Value() => args[++i];
    int Number() => int.Parse(Value(), CultureInfo.InvariantCulture);
}

if (mutants)
    return MutantReport.Write(only, first, seeds, minMachines, maxMachines, steps, theme);

var statistics = new Statistics();
long start = TimeProvider.System.GetTimestamp(), reported = start;
for (int seed = first; seed < first + seeds; seed++)
{
    if (Explorer.Explore(seed, minMachines, maxMachines, steps, statistics, theme) is { } failure)
    {
        Console.WriteLine($"seed {seed}: {failure.Violation.Message}");
        Console.WriteLine(failure.Violation.InnerException?.StackTrace);
        Console.WriteLine("Shrinking the schedule.");
        var shrunk = Explorer.Shrink(failure, TimeSpan.FromSeconds(60));
        Console.WriteLine(shrunk);
        if (trace)
            Explorer.Run(shrunk.Scenario, shrunk.Events, new Statistics(), Console.WriteLine);
        return 1;
    }
    if (TimeProvider.System.GetElapsedTime(reported) > TimeSpan.FromSeconds(10))
    {
        reported = TimeProvider.System.GetTimestamp();
        Console.WriteLine(Progress(seed + 1 - first));
    }
}
Console.WriteLine(Progress(seeds) + ", no violation.");
foreach (string line in statistics.Describe())
    Console.WriteLine(line);
return 0;

string Progress(int done)
{
    double seconds = TimeProvider.System.GetElapsedTime(start).TotalSeconds;
    return string.Create(CultureInfo.InvariantCulture,
        $"{done} seeds in {seconds:N1} s: {done / seconds:N1} seeds/s, "
        + $"{statistics.Events / seconds:N0} events/s, {statistics.Batches / seconds:N0} commits/s");
}
