namespace Datacake.Data.Metadata;

/// <summary>An index of an entity class.</summary>
/// <param name="Name">Its name, unique in the class.</param>
/// <param name="Properties">The properties that it orders by, the leading one first; nested ones are joined by dots.</param>
public sealed record IndexModel(string Name, IReadOnlyList<string> Properties)
{
    /// <summary>For each property, whether it orders from the greatest to the least.</summary>
    public IReadOnlyList<bool> Descending { get; init; } = [.. Properties.Select(_ => false)];
}
