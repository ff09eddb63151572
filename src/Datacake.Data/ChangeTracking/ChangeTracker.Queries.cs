using System.Diagnostics.CodeAnalysis;
using Datacake.Crdt;
using Datacake.Data.ChangeTracking;
using Datacake.Data.Metadata;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Updates;
using Datacake.EventualConsistency;

namespace Datacake.Data;

// The tracker as queries see it.
public sealed partial class ChangeTracker
{
    /// <summary>Tracks an entity that was just read, or returns the instance that is already tracked under its key.</summary>
    internal T TrackRead<T>(KeyspaceModel keyspace, DocumentKey key, Document document, T entity)
        where T : class
    {
        if (_entries.TryGet(keyspace.Entity, key, out var known))
        {
            Context.OnShown(known.Keyspace, known.Key, known.Stored);
            return (T)known.Entity;
        }
        TrackRead(new EntityEntry<T>(this, keyspace, entity), key, document);
        return entity;
    }

    /// <summary>Tracks a stored entity, unless one with its key is already tracked.</summary>
    internal void TrackRead(StoredEntity stored)
    {
        if (!_entries.TryGet(stored.Keyspace.Entity, stored.Key, out _))
            TrackRead(EntryOf(stored.Keyspace, stored.Entity), stored.Key, stored.Document);
    }

    T IEntityTracker.TrackRead<T>(KeyspaceModel keyspace, DocumentKey key, Document document, T entity) => TrackRead(keyspace, key, document, entity);

    T[] IEntityTracker.TrackRead<T>(KeyspaceModel keyspace, List<QueryRow<T>> rows)
    {
        var entities = new T[rows.Count];
        for (int i = 0; i < entities.Length; i++)
        {
            var row = rows[i];
            entities[i] = TrackRead(keyspace, row.Key, row.Document, row.Entity);
        }
        return entities;
    }

    void IEntityTracker.RefreshUnchanged(KeyspaceModel keyspace, DocumentKey key, Document document)
    {
        // An instance that already has the values is left alone, with the objects that it owns.
        if (_entries.TryGet(keyspace.Entity, key, out var entry) && entry.CurrentState == EntityState.Unchanged && !entry.IsFrom(document) && entry.HasOriginalValues())
            entry.SetToStored(key, document);
    }

    bool IEntityTracker.TryGetEntity(EntityModel model, DocumentKey key, [NotNullWhen(true)] out object? entity)
    {
        entity = TryGetEntry(model, key, out var entry) ? entry.Entity : null;
        if (entry is not null)
            Context.OnShown(entry.Keyspace, entry.Key, entry.Stored);
        return entity is not null;
    }

    void IEntityTracker.Assign<TRelated>(NavigationModel<TRelated> navigation, object entity, IReadOnlyList<TRelated> related, bool isComplete) =>
        new LoadedNavigation<TRelated>(this, navigation, isComplete).Assign(entity, related);

    void TrackRead(EntityEntry entry, DocumentKey key, Document document)
    {
        entry.CurrentState = EntityState.Unchanged;
        Track(entry, key);
        entry.SetOriginal(document);
    }
}
