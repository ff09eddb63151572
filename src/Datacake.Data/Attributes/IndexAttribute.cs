namespace Datacake.Data;

/// <summary>
/// Keeps an ordered index on a property (an owned object's, or a set's elements, too), or on the class on several properties together.
/// Queries with conditions on its leading properties, or ordered by them, use it.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property | AttributeTargets.Parameter, AllowMultiple = true)]
public sealed class IndexAttribute : Attribute
{
    /// <summary>An index on the property that the attribute stands on.</summary>
    public IndexAttribute()
    {
    }

    /// <summary>On a class: an index on these properties, in this order; nested ones as <c>"Address.City"</c>.</summary>
    public IndexAttribute(string property, params string[] more) => Properties = [property, .. more];

    /// <summary>The properties; none if the attribute stands on the property.</summary>
    public IReadOnlyList<string> Properties { get; } = [];

    /// <summary>The name in plans; by default the names of the properties, joined by underscores.</summary>
    public string? Name { get; set; }

    /// <summary>Which of the properties it orders from the greatest to the least, one for each: <c>IsDescending = [false, true]</c>.</summary>
    public bool[]? IsDescending { get; set; }

    /// <summary>Whether it orders all its properties from the greatest to the least.</summary>
    public bool AllDescending { get; set; }
}
