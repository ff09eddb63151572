using Datacake.Crdt;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying.Updates;

/// <summary>An entity that was read but is not tracked.</summary>
/// <param name="Keyspace">The keyspace of the entity.</param>
/// <param name="Key">The key of the entity.</param>
/// <param name="Document">The stored document.</param>
/// <param name="Entity">The entity.</param>
sealed record StoredEntity(KeyspaceModel Keyspace, DocumentKey Key, Document Document, object Entity)
{
    public (KeyspaceModel, DocumentKey) Identity => (Keyspace, Key);
}
