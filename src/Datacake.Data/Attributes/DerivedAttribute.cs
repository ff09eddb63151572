namespace Datacake.Data;

/// <summary>
/// Stores the entities of a derived class in the same keyspace as the entity class that the attribute is on. Each entity is stored with a
/// discriminator that identifies its class.
/// </summary>
/// <param name="type">The derived class.</param>
/// <param name="discriminator">
/// The value stored to identify the class; null to use the class name. It can never change, so set it if the class may be renamed. The
/// class that the attribute is on uses its own name, unless another attribute names that class too.
/// </param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class DerivedAttribute(Type type, string? discriminator = null) : Attribute
{
    /// <summary>Gets the derived class.</summary>
    public Type Type { get; } = type;

    /// <summary>Gets the value stored to identify the class; null if it is the class name.</summary>
    public string? Discriminator { get; } = discriminator;
}
