namespace Datacake.Data;

/// <summary>
/// Makes the delete of an entity of this class win over updates on nodes that did not know about the delete, even over later ones. Only
/// a new <see cref="Keyspace{T}.Add"/> brings the entity back. Without this attribute, a later update revives the whole entity. The
/// class must have the attribute, itself or by a base class, on every node or on none.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class DeleteWinsAttribute : Attribute;
