namespace Datacake.Data;

/// <summary>
/// On an entity class: entities of a class derived from it are stored in the same keyspace. Which class an entity is of is stored with it.
/// </summary>
/// <param name="type">The derived class.</param>
/// <param name="discriminator">
/// What is stored for the class; its name if null. It is for life, so that the class can be renamed. The class that the attribute stands
/// on has its own name, unless an attribute names that class too.
/// </param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
public sealed class DerivedAttribute(Type type, string? discriminator = null) : Attribute
{
    /// <summary>The derived class.</summary>
    public Type Type { get; } = type;

    /// <summary>What is stored for the class; its name if null.</summary>
    public string? Discriminator { get; } = discriminator;
}
