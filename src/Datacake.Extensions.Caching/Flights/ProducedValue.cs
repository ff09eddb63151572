namespace Datacake.Extensions.Caching.Flights;

/// <summary>A value that was found or made.</summary>
/// <param name="Value">The value, for the caller that began the flight; also for the others if they may share it.</param>
/// <param name="Payload">The serialized value, of which the other callers make their own.</param>
/// <param name="IsShared">True if all callers may have the same value, because it is immutable or null.</param>
readonly record struct ProducedValue<T>(T Value, ReadOnlyMemory<byte> Payload, bool IsShared);
