namespace Datacake.Data.ChangeTracking;

/// <summary>The tracking of entities that are reachable from tracked ones. Not thread-safe, like the context.</summary>
sealed class GraphTracker(ChangeTracker tracker)
{
    readonly HashSet<object> _underWay = new(ReferenceEqualityComparer.Instance);

    /// <summary>
    /// Tracks the entities that are reachable from tracked ones. Stops tracking those that were tracked only for that and no longer are.
    /// </summary>
    /// <exception cref="InvalidOperationException">Another instance with the key of an entity is tracked.</exception>
    public void Reach()
    {
        var reached = new HashSet<EntityEntry>();
        var open = new Queue<EntityEntry>(tracker.All.Where(static entry => entry is { IsReached: false } && entry.CurrentState != EntityState.Deleted && HasNavigations(entry)));
        KeepOptional(reached, open);
        while (open.TryDequeue(out var entry))
        {
            foreach (var navigation in entry.Keyspace.Entity.Navigations)
            {
                foreach (object target in navigation.TargetsOf(entry.Entity))
                {
                    if (tracker.TryGetEntry(target, out var known))
                    {
                        if (known.IsReached && reached.Add(known))
                            open.Enqueue(known);
                        continue;
                    }
                    // An entity that was detached or deleted, and has stayed in the navigation since, is not to be saved.
                    if (tracker.IsDetached(target) && entry.LoadedOf(navigation).Contains(target))
                        continue;
                    foreach (var added in Track(entry.Entity, navigation, target, mayBeStored: true))
                    {
                        reached.Add(added);
                        open.Enqueue(added);
                    }
                }
            }
        }
        foreach (var entry in tracker.All.Where(entry => entry.IsReached && !reached.Contains(entry)).ToList())
            tracker.Forget(entry);
    }

    /// <summary>Keeps the entities that a deleted one leads to and that can exist without it, because they are still to be saved.</summary>
    void KeepOptional(HashSet<EntityEntry> reached, Queue<EntityEntry> open)
    {
        foreach (var entry in tracker.All.Where(static entry => entry.CurrentState == EntityState.Deleted))
        {
            foreach (var navigation in entry.Keyspace.Entity.Navigations.Where(static navigation => navigation.IsOnDependent || !navigation.Relation.IsRequired))
            {
                foreach (object target in navigation.TargetsOf(entry.Entity))
                {
                    if (tracker.TryGetEntry(target, out var known) && known.IsReached && reached.Add(known))
                        open.Enqueue(known);
                }
            }
        }
    }

    /// <summary>Adds an entity and all entities that are reachable from it.</summary>
    /// <param name="root">The entity.</param>
    /// <param name="mayBeStored">True if reachable entities that are already stored are updated.</param>
    public void Add(EntityEntry root, bool mayBeStored)
    {
        var added = new List<EntityEntry>();
        try
        {
            Track(root, isRoot: true, mayBeStored, added);
        }
        catch
        {
            foreach (var entry in added)
                tracker.Forget(entry);
            throw;
        }
    }

    /// <summary>Tracks the entities that are reachable from an attached one: as stored, or as added if they have no key yet.</summary>
    public void Attach(EntityEntry root)
    {
        var open = new Queue<EntityEntry>([root]);
        while (open.TryDequeue(out var entry))
        {
            foreach (var navigation in entry.Keyspace.Entity.Navigations)
            {
                foreach (object target in navigation.TargetsOf(entry.Entity))
                {
                    if (tracker.TryGetEntry(target, out _))
                        continue;
                    var keyspace = KeyspaceOf(navigation);
                    var attached = tracker.NewEntry(keyspace, target);
                    if (keyspace.Entity.GenerateMissingKey(target, tracker.KeyGenerator))
                    {
                        Track(attached, isRoot: false, mayBeStored: false, []);
                        continue;
                    }
                    tracker.SetState(attached, EntityState.Unchanged);
                    open.Enqueue(attached);
                }
            }
            entry.RecordMatchingNavigations();
        }
    }

    List<EntityEntry> Track(object from, NavigationModel navigation, object target, bool mayBeStored)
    {
        var keyspace = KeyspaceOf(navigation);
        if (!navigation.IsOnDependent)
            SetForeignKeyIfKnown(navigation.Relation, target, from);
        var added = new List<EntityEntry>();
        Track(tracker.NewEntry(keyspace, target), isRoot: false, mayBeStored, added);
        return added;
    }

    /// <summary>
    /// Tracks an entity as added. This happens after the entities that it refers to, whose keys may be part of its own, and before those
    /// that refer to it.
    /// </summary>
    void Track(EntityEntry entry, bool isRoot, bool mayBeStored, List<EntityEntry> added)
    {
        // While the entities that it refers to are tracked, the entity may be reached again.
        var (model, entity) = (entry.Keyspace.Entity, entry.Entity);
        if (!_underWay.Add(entity))
            return;
        try
        {
            bool isKeyReferring = model.Relations.Any(relation => relation.Dependents.Entity == model && relation.IsPartOfKey);
            bool isGenerated = !isKeyReferring && model.GenerateMissingKey(entity, tracker.KeyGenerator);
            foreach (var navigation in model.Navigations.Where(static navigation => navigation.IsOnDependent))
            {
                foreach (object target in navigation.TargetsOf(entity))
                {
                    TrackIfNew(navigation, target, mayBeStored, added);
                    SetForeignKeyIfKnown(navigation.Relation, entity, target);
                }
            }
            isGenerated |= isKeyReferring && model.GenerateMissingKey(entity, tracker.KeyGenerator);
            if (isRoot)
                tracker.SetState(entry, EntityState.Added);
            else
            {
                tracker.TrackAdded(entry);
                entry.IsReached = true;
                entry.MayBeStored = mayBeStored && !isGenerated;
            }
            added.Add(entry);
        }
        finally
        {
            _underWay.Remove(entity);
        }
        foreach (var navigation in model.Navigations.Where(static navigation => !navigation.IsOnDependent))
        {
            foreach (object target in navigation.TargetsOf(entity))
            {
                if (!tracker.TryGetEntry(target, out _))
                    SetForeignKeyIfKnown(navigation.Relation, target, entity);
                TrackIfNew(navigation, target, mayBeStored, added);
            }
        }
    }

    void TrackIfNew(NavigationModel navigation, object target, bool mayBeStored, List<EntityEntry> added)
    {
        if (tracker.TryGetEntry(target, out _))
            return;
        var keyspace = KeyspaceOf(navigation);
        Track(tracker.NewEntry(keyspace, target), isRoot: false, mayBeStored, added);
    }

    void SetForeignKeyIfKnown(RelationModel relation, object dependent, object principal)
    {
        if (relation.KeyOf(principal) is not null)
            tracker.Refer(relation, dependent, principal);
    }

    static KeyspaceModel KeyspaceOf(NavigationModel navigation) => navigation.IsOnDependent ? navigation.Relation.Principals : navigation.Relation.Dependents;

    static bool HasNavigations(EntityEntry entry) => entry.Keyspace.Entity.Navigations.Count > 0;
}
