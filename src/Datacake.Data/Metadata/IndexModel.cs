namespace Datacake.Data.Metadata;

/// <summary>An index of an entity class.</summary>
/// <param name="Name">Its name, unique in the class.</param>
/// <param name="Properties">The properties that it orders by, the leading one first; nested ones are joined by dots.</param>
public sealed record IndexModel(string Name, IReadOnlyList<string> Properties)
{
    /// <summary>The class derived from the entity class whose entities alone are in it; null if all are.</summary>
    public Type? DerivedType { get; init; }

    /// <summary>For each property, whether it orders from the greatest to the least.</summary>
    public IReadOnlyList<bool> Descending { get; init; } = [.. Properties.Select(_ => false)];
}
