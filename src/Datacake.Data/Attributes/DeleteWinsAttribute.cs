namespace Datacake.Data;

/// <summary>
/// A delete of an entity of this class wins over updates on other nodes that did not know of it, even later ones; only a new
/// <see cref="Keyspace{T}.Add"/> brings the entity back. Without it a later update revives the whole entity. The same on every node.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class DeleteWinsAttribute : Attribute;
