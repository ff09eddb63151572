namespace Datacake.Simulation.Histories;

/// <summary>A serial read: what a user saw between two moments.</summary>
sealed record SerialRead(long Start, long End, IReadOnlyDictionary<int, long?> Seen);
