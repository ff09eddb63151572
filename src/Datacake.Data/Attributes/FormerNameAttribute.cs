namespace Datacake.Data;

/// <summary>
/// Sets the name under which a renamed property is stored: the name that it had when it was first stored. Existing data stays readable,
/// and nodes with the old class and nodes with the new one share the property. Keep the attribute unchanged if the property is renamed
/// again. A <see cref="System.ComponentModel.DataAnnotations.Schema.ColumnAttribute"/> with a name has the same effect.
/// </summary>
/// <param name="name">The name that the property had when it was first stored.</param>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class FormerNameAttribute(string name) : Attribute
{
    /// <summary>Gets the name that the property had when it was first stored.</summary>
    public string Name { get; } = name;
}
