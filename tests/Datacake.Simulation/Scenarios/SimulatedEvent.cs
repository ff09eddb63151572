namespace Datacake.Simulation.Scenarios;

/// <summary>An event of a simulated cluster: its kind, the machines involved, and a random number.</summary>
readonly record struct SimulatedEvent(EventKind Kind, int Machine, int Other, int Chance);
