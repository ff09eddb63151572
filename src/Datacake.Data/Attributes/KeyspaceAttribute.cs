namespace Datacake.Data;

/// <summary>
/// Names the keyspace that an entity class is stored in. Default: the name of the context's property. An attribute on the property takes
/// precedence over one on the class.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Property)]
public sealed class KeyspaceAttribute(string name) : Attribute
{
    /// <summary>Gets the keyspace name: 1 to 200 characters, the same on every node.</summary>
    public string Name { get; } = name;
}
