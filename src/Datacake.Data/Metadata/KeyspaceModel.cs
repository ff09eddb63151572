namespace Datacake.Data;

/// <summary>A keyspace of a context: its name and its entity class.</summary>
/// <param name="Name">The name of the keyspace in the store.</param>
/// <param name="Entity">The model of the entity class.</param>
public sealed record KeyspaceModel(string Name, EntityModel Entity);
