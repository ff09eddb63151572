namespace Datacake.Data;

/// <summary>
/// The property was renamed in C#; the store keeps it under the name that it had first, so that what is stored stays readable and nodes
/// with the old class and the new one share the property. Leave the attribute as it is when the property is renamed once more.
/// <see cref="System.ComponentModel.DataAnnotations.Schema.ColumnAttribute"/> with a name does the same.
/// </summary>
/// <param name="name">The name that the property had when it was stored first.</param>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class FormerNameAttribute(string name) : Attribute
{
    /// <summary>The name that the property had when it was stored first.</summary>
    public string Name { get; } = name;
}
