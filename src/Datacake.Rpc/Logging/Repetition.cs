namespace Datacake.Rpc.Logging;

/// <summary>Events of one sort.</summary>
/// <param name="Count">How many there were.</param>
/// <param name="Time">The time in which they were.</param>
/// <param name="Last">The text of the last one, without a full stop.</param>
readonly record struct Repetition(int Count, TimeSpan Time, string Last);
