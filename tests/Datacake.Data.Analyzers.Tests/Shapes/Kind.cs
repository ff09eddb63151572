namespace Datacake.Data.Analyzers.Tests.Shapes;

/// <summary>A type that a property can have.</summary>
/// <param name="Type">The type in source.</param>
/// <param name="Values">At least two values of the type in source, including the extremes. The first is not the default value.</param>
sealed record Kind(string Type, params string[] Values)
{
    /// <summary>Gets the name of the type in the table of the README.</summary>
    public string Name { get; init; } = Type;

    /// <summary>Gets values for a key or an element, if some of the other values would be refused there.</summary>
    public string[]? KeyValues { get; init; }

    /// <summary>Gets the declarations that the type needs.</summary>
    public string Declarations { get; init; } = "";
}
