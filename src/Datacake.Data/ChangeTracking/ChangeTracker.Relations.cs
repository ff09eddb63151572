using System.Runtime.CompilerServices;

namespace Datacake.Data;

public sealed partial class ChangeTracker
{
    // The entities that were tracked, and are not to be tracked again only since others lead to them. Made when it is needed, since it is costly for a context that finds one entity.
    ConditionalWeakTable<object, object>? _detached;

    /// <summary>Tracks an entity as added, with all that it leads to, and gives it a key if it has none.</summary>
    /// <param name="entry">The entity.</param>
    /// <param name="mayBeStored">True if what it leads to is updated if it is stored.</param>
    internal void Add(EntityEntry entry, bool mayBeStored)
    {
        if (entry.Keyspace.Entity.Relations.Count > 0)
        {
            Graph.Add(entry, mayBeStored);
            return;
        }
        entry.Keyspace.Entity.GenerateKey(entry.Entity, Context.KeyGenerator);
        entry.State = EntityState.Added;
    }

    internal bool IsDetached(object entity) => _detached?.TryGetValue(entity, out _) == true;

    void NoteDetached(EntityEntry entry, bool isDetached)
    {
        if (entry.Keyspace.Entity.Relations.Count == 0)
            return;
        if (isDetached)
            (_detached ??= []).AddOrUpdate(entry.Entity, entry.Entity);
        else
            _detached?.Remove(entry.Entity);
    }

    /// <summary>Tracks what tracked entities lead to, and brings foreign keys up to date.</summary>
    /// <param name="isSaving">True if an entity that was taken from what it cannot be without is refused.</param>
    internal void FixRelations(bool isSaving)
    {
        if (Context.HasRelations && _entries.All.Count > 0)
            Relations.Fix(isSaving);
    }

    /// <summary>
    /// Does to the tracked entities that refer to deleted ones what the model says: deletes them, or sets their foreign keys to null. A save does so before <see cref="DatacakeContext.SavingChanges"/>
    /// and the interceptors. Entities that only the store has are found when the save commits.
    /// </summary>
    /// <exception cref="InvalidOperationException">Two entities have the same key.</exception>
    public void CascadeChanges() => CascadeChanges([]);

    /// <param name="undo">Takes what is to be done if the save fails.</param>
    internal void CascadeChanges(List<Action> undo)
    {
        if (!Context.HasRelations)
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

    /// <summary>Makes an entity as it was before it was taken from what it cannot be without.</summary>
    internal static void Revive(EntityEntry orphan)
    {
        if (orphan.IsOrphan && orphan.CurrentState == EntityState.Deleted)
            orphan.CurrentState = EntityState.Unchanged;
        orphan.IsOrphan = false;
    }

    /// <summary>The save under way deletes an entity with what it refers to; one that was only added is forgotten.</summary>
    internal void Cascade(EntityEntry entry, List<Action> undo)
    {
        var (state, isAsserted) = (entry.CurrentState, entry.IsAsserted);
        Remove(entry);
        entry.IsCascaded = true;
        undo.Add(() =>
        {
            // What an interceptor has made of it since is the user's.
            if (!entry.IsCascaded)
                return;
            (entry.CurrentState, entry.IsAsserted, entry.IsCascaded) = (state, isAsserted, false);
            _entries.TryAdd(entry);
        });
    }

    /// <summary>Tracks an entity as added, without a look at what it leads to.</summary>
    internal void TrackAdded(EntityEntry entry)
    {
        Track(entry, entry.Keyspace.Entity.KeyOf(entry.Entity, KeyWriter));
        NoteDetached(entry, isDetached: false);
        entry.CurrentState = EntityState.Added;
        entry.IsNew = true;
    }

    /// <summary>The entities that were tracked because others lead to them, and may be stored already.</summary>
    internal IReadOnlyList<EntityEntry> MayBeStored() => [.. _entries.All.Where(static entry => entry is { MayBeStored: true, CurrentState: EntityState.Added })];

    /// <summary>Takes the related entities that properties have now for saved, without those that were deleted.</summary>
    internal void AcceptRelations()
    {
        if (!Context.HasRelations || !AutoDetectChangesEnabled)
            return;
        foreach (var entry in _entries.All)
            entry.TakeNavigations();
    }

    /// <summary>Takes deleted entities out of the properties of tracked ones.</summary>
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
