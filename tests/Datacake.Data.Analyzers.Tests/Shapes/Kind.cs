namespace Datacake.Data.Analyzers.Tests.Shapes;

/// <summary>A type that a property can have.</summary>
/// <param name="Type">The type in source.</param>
/// <param name="Values">Values of it in source, of which the first is not the default; two at least, and the extremes.</param>
sealed record Kind(string Type, params string[] Values)
{
    /// <summary>What the table of the README calls it.</summary>
    public string Name { get; init; } = Type;

    /// <summary>Values for a key or an element, if some of the others would be refused there.</summary>
    public string[]? KeyValues { get; init; }

    /// <summary>The declarations that the type needs.</summary>
    public string Declarations { get; init; } = "";
}
