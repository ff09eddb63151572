namespace Datacake.Data.ChangeTracking;

/// <summary>
/// The step before a save that makes the foreign keys and navigations of tracked entities agree. It tracks the entities that are
/// reachable from tracked ones, sets foreign keys from changed navigations, and sets navigations from changed foreign keys. Not
/// thread-safe, like the context.
/// </summary>
sealed class NavigationFixer(ChangeTracker tracker)
{
    readonly GraphTracker _graph = new(tracker);

    // Navigations that lost an entity that is deleted or rejected for it. The loss is found again next time, unless the entity is back.
    readonly HashSet<(NavigationModel Navigation, object Entity, object Lost)> _unsettled = [];

    // For each dependent, the principals whose navigations contain it, and the one whose navigation got it since the last load or save.
    readonly Dictionary<(RelationModel Relation, object Dependent), List<EntityEntry>> _holders = [];
    readonly Dictionary<(RelationModel Relation, object Dependent), EntityEntry> _newHolders = [];

    /// <summary>Makes the foreign keys and navigations agree.</summary>
    /// <param name="isSaving">True to throw if an entity has lost a required principal and is not deleted for it.</param>
    /// <exception cref="InvalidOperationException">An entity has lost a required principal, or two instances have the same key.</exception>
    public void Fix(bool isSaving)
    {
        ReviveOrphans();
        _graph.Reach();
        FindHolders();
        var entries = Live();
        foreach (var entry in entries)
        {
            foreach (var relation in entry.Keyspace.Entity.Relations)
            {
                if (relation.Dependents.Entity == entry.Keyspace.Entity)
                    FixForeignKey(entry, relation, isSaving);
            }
        }
        foreach (var entry in entries)
            FindSevered(entry, isSaving);
        foreach (var entry in Live())
            entry.RecordNavigations(_unsettled);
        _holders.Clear();
        _newHolders.Clear();
        _unsettled.Clear();
    }

    List<EntityEntry> Live() => [.. tracker.All.Where(static entry => entry.CurrentState != EntityState.Deleted && entry.Keyspace.Entity.Relations.Count > 0)];

    /// <summary>Restores entities that lost a required principal, because they may have been given another one since.</summary>
    void ReviveOrphans()
    {
        foreach (var entry in tracker.All)
            ChangeTracker.Revive(entry);
    }

    void FindHolders()
    {
        foreach (var entry in Live())
        {
            foreach (var navigation in entry.Keyspace.Entity.Navigations)
            {
                if (navigation.IsOnDependent)
                    continue;
                var loaded = entry.LoadedOf(navigation);
                foreach (object dependent in navigation.TargetsOf(entry.Entity))
                {
                    var place = (navigation.Relation, dependent);
                    if (!_holders.TryGetValue(place, out var holders))
                        _holders.Add(place, holders = []);
                    holders.Add(entry);
                    if (!loaded.Contains(dependent))
                        _newHolders[place] = entry;
                }
            }
        }
    }

    void FixForeignKey(EntityEntry entry, RelationModel relation, bool isSaving)
    {
        object dependent = entry.Entity;
        object? current = relation.Reference?.TargetOf(dependent);
        bool isChanged = relation.Reference is { } reference && entry.IsChanged(reference, current);
        if (FindPrincipal(entry, relation, current, isChanged) is { } principal)
        {
            if (relation.KeyOf(principal) is { } key)
            {
                tracker.Refer(relation, dependent, principal);
                entry.RecordForeignKey(relation, key);
            }
            Connect(relation, dependent, current, principal);
        }
        else if (isChanged)
        {
            object former = entry.LoadedOf(relation.Reference!).First();
            if (relation.KeyOf(former) is not null && tracker.Refers(relation, dependent, former))
                Sever(entry, relation, former, relation.Reference!, dependent, former, isSaving);
        }
        else if (DisagreesWithNavigations(entry, relation, current))
        {
            // The foreign key itself was changed.
            entry.ForgetForeignKey(relation);
            var known = relation.PrincipalKeyOf(dependent) is { } key && tracker.TryGetEntry(relation.Principals.Entity, key, out var found) && found.CurrentState != EntityState.Deleted
                ? found.Entity
                : null;
            Connect(relation, dependent, current, known);
        }
    }

    /// <summary>Returns true if the foreign key disagrees with the navigations.</summary>
    bool DisagreesWithNavigations(EntityEntry entry, RelationModel relation, object? current)
    {
        var key = relation.PrincipalKeyOf(entry.Entity);
        bool isOther = current is not null ? !tracker.Refers(relation, entry.Entity, current) : key is not null && relation.Reference is { } reference && (entry.IsNew || entry.IsLoaded(reference));
        return isOther || (_holders.TryGetValue((relation, entry.Entity), out var holders) && holders.Exists(holder => !tracker.Refers(relation, entry.Entity, holder.Entity)));
    }

    /// <summary>Returns the principal of a dependent according to the navigations; null if the foreign key decides.</summary>
    object? FindPrincipal(EntityEntry entry, RelationModel relation, object? current, bool isChanged)
    {
        if (isChanged && current is not null)
            return current;
        if (_newHolders.TryGetValue((relation, entry.Entity), out var newHolder))
            return newHolder.Entity;
        // The foreign key still has the value that was set here. The key of the principal, which is not saved yet, may have changed since.
        return !isChanged && entry.IsForeignKeyFromNavigation(relation, relation.PrincipalKeyOf(entry.Entity)) && _holders.TryGetValue((relation, entry.Entity), out var holders)
            ? current ?? holders[0].Entity
            : null;
    }

    /// <summary>Makes the navigations on both ends agree.</summary>
    void Connect(RelationModel relation, object dependent, object? current, object? principal)
    {
        if (relation.Reference is { } reference && !ReferenceEquals(current, principal))
        {
            if (current is not null)
                reference.Remove(dependent, current);
            if (principal is not null)
                reference.Add(dependent, principal);
        }
        if (relation.Inverse is not { } inverse)
            return;
        bool isHeld = false;
        foreach (var holder in _holders.GetValueOrDefault((relation, dependent)) ?? [])
        {
            if (ReferenceEquals(holder.Entity, principal))
                isHeld = true;
            else
                inverse.Remove(holder.Entity, dependent);
        }
        if (principal is not null && !isHeld && inverse.IsCollection)
            inverse.Add(principal, dependent);
    }

    /// <summary>Finds the dependents that were removed from a loaded navigation and still refer to the same principal.</summary>
    void FindSevered(EntityEntry entry, bool isSaving)
    {
        foreach (var navigation in entry.Keyspace.Entity.Navigations)
        {
            var loaded = navigation.IsOnDependent ? [] : entry.LoadedOf(navigation);
            if (loaded.Count == 0)
                continue;
            var current = new HashSet<object>(navigation.TargetsOf(entry.Entity), ReferenceEqualityComparer.Instance);
            foreach (object dependent in loaded)
            {
                if (!current.Contains(dependent) && tracker.TryGetEntry(dependent, out var severed) && severed.CurrentState != EntityState.Deleted
                    && tracker.Refers(navigation.Relation, dependent, entry.Entity))
                    Sever(severed, navigation.Relation, entry.Entity, navigation, entry.Entity, dependent, isSaving);
            }
        }
    }

    /// <summary>Clears the foreign key of a dependent that lost its principal, deletes the dependent, or throws.</summary>
    /// <param name="entry">The dependent.</param>
    /// <param name="relation">The relation.</param>
    /// <param name="principal">The principal that the dependent still refers to.</param>
    /// <param name="navigation">The navigation that lost the entity.</param>
    /// <param name="owner">The entity that has the navigation.</param>
    /// <param name="lost">The entity that the navigation lost.</param>
    /// <param name="isSaving">True to throw if the loss is not allowed.</param>
    void Sever(EntityEntry entry, RelationModel relation, object principal, NavigationModel navigation, object owner, object lost, bool isSaving)
    {
        if (!relation.IsRequired)
        {
            relation.Clear(entry.Entity);
            entry.ForgetForeignKey(relation);
            // The dependent is to be saved even if it is no longer reachable.
            entry.IsReached = false;
            Connect(relation, entry.Entity, relation.Reference?.TargetOf(entry.Entity), null);
        }
        else if (entry.IsDeleteOverridden)
        {
            // It was to be deleted for the loss, but the user decided otherwise.
        }
        else if (relation.DeleteBehavior == DeleteBehavior.Cascade)
        {
            _unsettled.Add((navigation, owner, lost));
            entry.IsOrphan = !entry.IsOnlyAdded;
            entry.OrphanOf = relation;
            tracker.Remove(entry);
        }
        else if (!isSaving)
            _unsettled.Add((navigation, owner, lost));
        else
        {
            string name = $"The {relation.Dependents.Entity.Name} {entry.Key}";
            throw new InvalidOperationException(
                $"{name} was removed from the {relation.Principals.Entity.Name} {relation.KeyOf(principal)}, but it needs one, because "
                    + $"{string.Join(", ", relation.ForeignKey.Select(part => part.Name))} must have a value. Assign it to another {relation.Principals.Entity.Name}, "
                    + "remove it as well, or configure OnDelete(DeleteBehavior.Cascade) to have it deleted.");
        }
    }
}
