using Datacake.Simulation.Mutants;

namespace Datacake.Simulation.Exploration;

/// <summary>The report of the mutants that were caught, each with the invariant and the seed that caught it.</summary>
static class MutantReport
{
    /// <summary>Tries the named mutant, or all mutants, in the histories of a theme or of the mutants' own themes. Returns 0 if all were caught.</summary>
    public static int Write(string only, int first, int seeds, int minMachines, int maxMachines, int steps, string? theme)
    {
        int caught = 0;
        var tried = MutantList.All.Where(mutant => only is "" || mutant().Name == only).ToArray();
        foreach (var mutant in tried)
        {
            var failure = Explorer.Catch(mutant, first, seeds, minMachines, maxMachines, steps, theme);
            caught += failure is null ? 0 : 1;
            Console.WriteLine(failure is null
                ? $"NOT CAUGHT {mutant().Name,-24} within {seeds} seeds{"",-20} {mutant().Rule}"
                : $"caught     {mutant().Name,-24} seed {failure.Scenario.Seed,5} {failure.Violation.Invariant,-30} {mutant().Rule}");
        }
        Console.WriteLine($"{caught} of {tried.Length} mutants caught.");
        return caught == tried.Length ? 0 : 1;
    }
}
