namespace Datacake.Data;

/// <summary>
/// Makes an entity class serial: its entities do not merge. A save is put in order with all other serial saves of the cluster, and fails
/// with an <see cref="EntityConflictException"/> if an entity that it writes has changed since it was read. A majority of the voters must
/// be reachable. An <see cref="int"/> or <see cref="long"/> key of 0 gets the next number when the entity is saved. Classes derived from it are serial, too. The class must have the attribute on every node, and a keyspace is serial, or not, for life.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class SerialAttribute : Attribute;
