using Datacake.Data.CodeGeneration;
using Datacake.Data.Metadata;

namespace Datacake.Data.ChangeTracking;

/// <summary>Creates the entry of an entity that is not tracked yet.</summary>
sealed class EntryCreation(ChangeTracker tracker, KeyspaceModel keyspace, object entity) : IEntityModelVisitor<EntityEntry>
{
    public EntityEntry Visit<T>(EntityModel<T> model)
        where T : class => new EntityEntry<T>(tracker, keyspace, (T)entity);
}
