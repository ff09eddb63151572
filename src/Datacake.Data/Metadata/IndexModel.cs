namespace Datacake.Data;

/// <summary>An index of an entity class.</summary>
/// <param name="Name">The name, unique in the class.</param>
/// <param name="Properties">The indexed properties, the leading one first; a nested one as a path such as <c>Address.City</c>.</param>
public sealed record IndexModel(string Name, IReadOnlyList<string> Properties)
{
    /// <summary>Gets the derived class that the index is limited to; null if it has all entities.</summary>
    public Type? DerivedType { get; init; }

    /// <summary>True if no two entities have the same values.</summary>
    public bool IsUnique { get; init; }

    /// <summary>Gets, for each property, whether it is in descending order.</summary>
    public IReadOnlyList<bool> Descending { get; init; } = [.. Properties.Select(_ => false)];

    /// <summary>Returns a description for messages, such as <c>unique index Team_Number (Team, Number descending) of Player</c>.</summary>
    public override string ToString()
    {
        // An index of another version of the class has no properties.
        string properties = Properties.Count == 0 ? "" : $" ({string.Join(", ", Properties.Select((property, i) => Descending.ElementAtOrDefault(i) ? $"{property} descending" : property))})";
        return $"{(IsUnique ? "unique index" : "index")} {Name}{properties}{(DerivedType is null ? "" : $" of {DerivedType.Name}")}";
    }
}
