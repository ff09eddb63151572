namespace Datacake.Data;

/// <summary>
/// Names the keyspace that an entity class is stored in, which is the name of the context's property otherwise. On the property it takes
/// precedence.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property)]
public sealed class KeyspaceAttribute(string name) : Attribute
{
    /// <summary>The name, 1 to 200 characters, the same on every node.</summary>
    public string Name { get; } = name;
}
