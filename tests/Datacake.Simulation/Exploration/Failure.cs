using Datacake.Simulation.Histories;
using Datacake.Simulation.Scenarios;

namespace Datacake.Simulation.Exploration;

/// <summary>A history that broke an invariant.</summary>
sealed record Failure(Scenario Scenario, IReadOnlyList<SimulatedEvent> Events, Violation Violation)
{
    public override string ToString() =>
        $"seed {Scenario.Seed}: {Violation.Message}{Environment.NewLine}  {Scenario}; {Events.Count} events:{Environment.NewLine}"
        + string.Join(Environment.NewLine, Events.Select(happening =>
            $"    {happening.Kind} {happening.Machine + 1} {happening.Other + 1} {happening.Chance}"))
        + Environment.NewLine + Violation.Machines;
}
