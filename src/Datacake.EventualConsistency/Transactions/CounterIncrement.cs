namespace Datacake.EventualConsistency;

/// <summary>An increment of a counter of a document. Concurrent increments add up.</summary>
/// <param name="Property">The name of the counter's property; names of nested properties are joined by dots.</param>
/// <param name="Amount">The amount to add, which may be negative.</param>
public readonly record struct CounterIncrement(string Property, long Amount);
