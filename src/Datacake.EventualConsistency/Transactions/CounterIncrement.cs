namespace Datacake.EventualConsistency;

/// <summary>What is added to the counter of a document: concurrent increments add up.</summary>
/// <param name="Property">The name of the counter's property; nested ones are joined by dots.</param>
/// <param name="Amount">What is added; may be negative.</param>
public readonly record struct CounterIncrement(string Property, long Amount);
