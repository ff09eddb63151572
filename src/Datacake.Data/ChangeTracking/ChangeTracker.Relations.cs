using System.Runtime.CompilerServices;
using Datacake.Data.ChangeTracking;
using Datacake.Data.Querying;

namespace Datacake.Data;

public sealed partial class ChangeTracker
{
    // Entities that were tracked before. Being reachable from a tracked entity is not enough to track them again. Created on demand,
    // because the table is costly for a context that finds a single entity.
    ConditionalWeakTable<object, object>? _detached;

    /// <summary>
    /// Tracks an entity, and all entities reachable from it, as added. Generates a key for each entity that has none.
    /// </summary>
    /// <param name="entry">The entity.</param>
    /// <param name="mayBeStored">True if reachable entities that are already stored are updated.</param>
    internal void Add(EntityEntry entry, bool mayBeStored)
    {
        if (entry.Keyspace.Entity.Relations.Count > 0)
        {
            Graph.Add(entry, mayBeStored);
            return;
        }
        entry.Keyspace.Entity.GenerateKey(entry.Entity, KeyGenerator);
        entry.State = EntityState.Added;
    }

    internal bool IsDetached(object entity) => _detached?.TryGetValue(entity, out _) == true;

    void RecordDetached(EntityEntry entry, bool isDetached)
    {
        if (entry.Keyspace.Entity.Relations.Count == 0)
            return;
        if (isDetached)
            (_detached ??= []).AddOrUpdate(entry.Entity, entry.Entity);
        else
            _detached?.Remove(entry.Entity);
    }

    /// <summary>Tracks the entities that are reachable from tracked ones, and brings foreign keys up to date.</summary>
    /// <param name="isSaving">True to throw if an entity has lost a required principal and is not deleted for it.</param>
    internal void FixRelations(bool isSaving)
    {
        if (Context.Model.HasRelations && _entries.All.Count > 0)
            Relations.Fix(isSaving);
    }

    /// <summary>
    /// Applies the delete behaviors of the model to tracked entities that refer to deleted ones: deletes them, or sets their foreign keys
    /// to null. A save does this before <see cref="DatacakeContext.SavingChanges"/> and the interceptors. Dependents that are only in the
    /// store are found when the save commits.
    /// </summary>
    /// <exception cref="InvalidOperationException">Two tracked entities have the same key.</exception>
    public void CascadeChanges() => CascadeChanges([]);

    /// <param name="undo">Receives the actions that undo the changes if the save fails.</param>
    internal void CascadeChanges(List<Action> undo)
    {
        if (!Context.Model.HasRelations)
            return;
        using var operation = Context.Concurrency.Enter();
        if (AutoDetectChangesEnabled)
        {
            var known = Deleted().ToHashSet();
            FixRelations(isSaving: false);
            foreach (var orphan in Deleted().Where(entry => entry.IsOrphan && !known.Contains(entry)))
                undo.Add(() => Revive(orphan));
        }
        DeleteBehaviors.ApplyToTracked(this, undo);
    }

    /// <summary>Restores an entity that was to be deleted because it lost a required principal.</summary>
    internal static void Revive(EntityEntry orphan)
    {
        if (orphan.IsOrphan && orphan.CurrentState == EntityState.Deleted)
            orphan.CurrentState = orphan.SentState == EntityState.Added ? EntityState.Added : EntityState.Unchanged;
        orphan.IsOrphan = false;
    }

    /// <summary>
    /// Deletes an entity as part of the current save, because an entity that it refers to is deleted. Stops tracking an entity that was
    /// only added.
    /// </summary>
    internal void Cascade(EntityEntry entry, List<Action> undo)
    {
        var (state, isAsserted) = (entry.CurrentState, entry.IsAsserted);
        Remove(entry);
        entry.IsCascaded = true;
        undo.Add(() =>
        {
            // If an interceptor has changed the state since, the user's decision stands.
            if (!entry.IsCascaded)
                return;
            (entry.CurrentState, entry.IsAsserted, entry.IsCascaded) = (state, isAsserted, false);
            _entries.TryAdd(entry);
        });
    }

    /// <summary>Tracks an entity as added, without following its navigations.</summary>
    internal void TrackAdded(EntityEntry entry)
    {
        Track(entry, AddedKeyOf(entry));
        RecordDetached(entry, isDetached: false);
        entry.CurrentState = EntityState.Added;
        entry.IsNew = true;
    }

    /// <summary>Returns the added entities that were reached from other ones and may already be stored.</summary>
    internal IReadOnlyList<EntityEntry> MayBeStored() => [.. _entries.All.Where(static entry => entry is { MayBeStored: true, CurrentState: EntityState.Added })];

    /// <summary>Records the current targets of all navigations as saved.</summary>
    internal void AcceptRelations() => AcceptRelations(_entries.All);

    /// <summary>Records the current targets of the navigations of some entities as saved.</summary>
    internal void AcceptRelations(IEnumerable<EntityEntry> entries)
    {
        if (!Context.Model.HasRelations || !AutoDetectChangesEnabled)
            return;
        foreach (var entry in entries)
            entry.AcceptNavigations();
    }

    /// <summary>Removes deleted entities from the navigations of tracked ones.</summary>
    internal void Disconnect(HashSet<object> deleted)
    {
        if (deleted.Count == 0)
            return;
        foreach (var entry in _entries.All)
        {
            foreach (var navigation in entry.Keyspace.Entity.Navigations)
            {
                foreach (object target in navigation.TargetsOf(entry.Entity))
                {
                    if (deleted.Contains(target))
                        navigation.Remove(entry.Entity, target);
                }
            }
        }
    }
}
