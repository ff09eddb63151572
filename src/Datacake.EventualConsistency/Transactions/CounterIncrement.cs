namespace Datacake.EventualConsistency;

/// <summary>An increment of a counter of a document. Concurrent increments add up.</summary>
/// <param name="Property">The name of the counter's property; names of nested properties are joined by dots.</param>
/// <param name="Amount">The amount to add, which may be negative.</param>
public readonly record struct CounterIncrement(string Property, long Amount)
{
    /// <summary>
    /// Gets the minimum of the counter, or null if there is none. A put makes it a bound of the document, which every node keeps from then
    /// on; an increment only says what its writer expects.
    /// </summary>
    public long? Minimum { get; init; }

    /// <summary>Gets the maximum of the counter, or null if there is none. See <see cref="Minimum"/>.</summary>
    public long? Maximum { get; init; }

    /// <summary>True if the counter has a minimum or a maximum.</summary>
    internal bool IsBounded => Minimum is not null || Maximum is not null;
}
