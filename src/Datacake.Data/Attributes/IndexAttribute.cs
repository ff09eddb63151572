namespace Datacake.Data;

/// <summary>
/// Declares an ordered index on a property, on a property of an owned object, or on the elements of a set. On a class, declares an index
/// on several properties together. Queries that filter or sort by the leading properties use the index.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property | AttributeTargets.Parameter, AllowMultiple = true)]
public sealed class IndexAttribute : Attribute
{
    /// <summary>Declares an index on the property that the attribute is on.</summary>
    public IndexAttribute()
    {
    }

    /// <summary>
    /// Declares an index on properties of the class that the attribute is on, in the given order. A nested property is named by a path,
    /// such as <c>"Address.City"</c>.
    /// </summary>
    public IndexAttribute(string property, params string[] more) => Properties = [property, .. more];

    /// <summary>Gets the indexed properties; empty if the attribute is on the property itself.</summary>
    public IReadOnlyList<string> Properties { get; } = [];

    /// <summary>Gets or sets the name shown in query plans. Default: the property names, joined by underscores.</summary>
    public string? Name { get; set; }

    /// <summary>Gets or sets, for each property, whether the index is in descending order: <c>IsDescending = [false, true]</c>.</summary>
    public bool[]? IsDescending { get; set; }

    /// <summary>Gets or sets whether the index is in descending order of all its properties.</summary>
    public bool AllDescending { get; set; }

    /// <summary>
    /// Gets or sets whether no two entities have the same values. A save of a second one fails with a
    /// <see cref="UniqueConstraintException"/>. An entity with a value that is null is not compared. The class must be serial
    /// (<see cref="SerialAttribute"/>): entities that merge can be added on two nodes at the same time.
    /// </summary>
    public bool IsUnique { get; set; }
}
