using Datacake.Crdt;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>An entity that was read and is not tracked.</summary>
/// <param name="Keyspace">Where it is stored.</param>
/// <param name="Key">Its key.</param>
/// <param name="Document">What is stored of it.</param>
/// <param name="Entity">The entity.</param>
sealed record StoredEntity(KeyspaceModel Keyspace, DocumentKey Key, Document Document, object Entity)
{
    public (KeyspaceModel, DocumentKey) Identity => (Keyspace, Key);
}
