using Datacake.Simulation.Histories;
using Datacake.Simulation.Mutants;
using Datacake.Simulation.Scenarios;
using Datacake.Simulation.Worlds;

namespace Datacake.Simulation.Exploration;

/// <summary>A runner of schedules that shrinks those that fail.</summary>
static class Explorer
{
    const int CalmEvents = 30;

    /// <summary>Runs the history of a seed, with a theme if one is given. Returns the failure if the history breaks an invariant; otherwise, null.</summary>
    public static Failure? Explore(int seed, int minMachines, int maxMachines, int steps, Statistics statistics, string? theme = null)
    {
        var scenario = Scenario.Of(seed, minMachines, maxMachines, theme);
        var events = scenario.DrawEvents(steps);
        return Run(scenario, events, statistics) is { } violation ? new Failure(scenario, events, violation) : null;
    }

    /// <summary>
    /// Returns the first failure that reveals a mutant, or null if no history does. The histories have the given theme, or the mutant's theme, if it has one.
    /// </summary>
    public static Failure? Catch(Func<Mutant> mutant, int first, int seeds, int minMachines, int maxMachines, int steps, string? theme = null)
    {
        theme ??= mutant().Theme;
        for (int seed = first; seed < first + seeds; seed++)
        {
            var scenario = Scenario.Of(seed, minMachines, maxMachines, theme);
            var events = scenario.DrawEvents(steps);
            if (Run(scenario, events, new Statistics(), mutant: mutant()) is { } violation)
                return new Failure(scenario, events, violation);
        }
        return null;
    }

    public static Violation? Run(
        Scenario scenario, IReadOnlyList<SimulatedEvent> events, Statistics statistics, Action<string>? trace = null, Mutant? mutant = null)
    {
        World? world = null;
        try
        {
            world = new World(scenario, statistics, mutant ?? Mutant.None) { Trace = trace };
            foreach (var happening in events)
                world.Do(happening);
            world.Rest();
            world.StayCalm();
            foreach (var happening in scenario.DrawCalmEvents(CalmEvents))
                world.Do(happening);
            world.Rest();
            return null;
        }
        catch (Exception e)
        {
            var violation = e as Violation ?? new Violation("nothing fails", $"{e.GetType().Name}: {e.Message}", e);
            violation.Machines = world?.Describe() ?? "";
            return violation;
        }
    }

    /// <summary>Removes events for as long as the history still breaks the same invariant.</summary>
    public static Failure Shrink(Failure failure, TimeSpan budget)
    {
        long start = TimeProvider.System.GetTimestamp();
        var (scenario, kept, violation) = failure;
        for (int size = Math.Max(1, kept.Count / 2); ; size = Math.Max(1, size / 2))
        {
            bool isSmaller = false;
            for (int at = 0; at < kept.Count;)
            {
                if (TimeProvider.System.GetElapsedTime(start) > budget)
                    return new Failure(scenario, kept, violation);
                SimulatedEvent[] candidate = [.. kept.Take(at), .. kept.Skip(at + size)];
                if (Run(scenario, candidate, new Statistics()) is { } again && again.Invariant == violation.Invariant)
                    (kept, violation, isSmaller) = (candidate, again, true);
                else
                    at += size;
            }
            if (size == 1 && !isSmaller)
                return new Failure(scenario, kept, violation);
        }
    }
}
