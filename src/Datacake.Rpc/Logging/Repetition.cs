namespace Datacake.Rpc.Logging;

/// <summary>A number of repeated events.</summary>
/// <param name="Count">The number of events.</param>
/// <param name="Time">The time in which they happened.</param>
/// <param name="Last">The text of the last one, without a full stop.</param>
readonly record struct Repetition(int Count, TimeSpan Time, string Last);
