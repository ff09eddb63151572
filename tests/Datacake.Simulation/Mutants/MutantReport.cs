namespace Datacake.Simulation.Mutants;

/// <summary>Says of each mutant whether it was caught, by which invariant and by which seed.</summary>
static class MutantReport
{
    /// <summary>0 if all were caught.</summary>
    public static int Write(int first, int seeds, int minMachines, int maxMachines, int steps)
    {
        int caught = 0;
        foreach (var mutant in MutantList.All)
        {
            var failure = Explorer.Catch(mutant, first, seeds, minMachines, maxMachines, steps);
            caught += failure is null ? 0 : 1;
            Console.WriteLine(failure is null
                ? $"NOT CAUGHT {mutant().Name,-24} within {seeds} seeds{"",-20} {mutant().Rule}"
                : $"caught     {mutant().Name,-24} seed {failure.Scenario.Seed,5} {failure.Violation.Invariant,-30} {mutant().Rule}");
        }
        Console.WriteLine($"{caught} of {MutantList.All.Count} caught");
        return caught == MutantList.All.Count ? 0 : 1;
    }
}
