using Datacake.Data.Metadata;

namespace Datacake.Data;

/// <summary>
/// Brings foreign keys and the properties with related entities of tracked entities together, as a save needs them: tracks the entities that tracked ones lead to, and gives foreign keys the values that
/// these properties say. Not thread-safe, as the context.
/// </summary>
sealed class RelationFixer(ChangeTracker tracker)
{
    readonly GraphTracking _graph = new(tracker);

    // Properties that have lost an entity which is deleted for that, or refused: both are found again if it does not come back.
    readonly HashSet<(NavigationModel Navigation, object Entity, object Lost)> _unsettled = [];

    // Which principal entities have a dependent one in the property that leads back, and which of them since the last load or save.
    readonly Dictionary<(RelationModel Relation, object Dependent), List<EntityEntry>> _holders = [];
    readonly Dictionary<(RelationModel Relation, object Dependent), EntityEntry> _claims = [];

    /// <param name="isSaving">True if an entity that was taken from what it cannot be without is refused.</param>
    /// <exception cref="InvalidOperationException">There is one, or two instances have the same key.</exception>
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
            entry.NoteNavigations(_unsettled);
        _holders.Clear();
        _claims.Clear();
        _unsettled.Clear();
    }

    List<EntityEntry> Live() => [.. tracker.All.Where(static entry => entry.CurrentState != EntityState.Deleted && entry.Keyspace.Entity.Relations.Count > 0)];

    /// <summary>One that was taken out may have been put elsewhere since.</summary>
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
                        _claims[place] = entry;
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
                relation.Refer(dependent, principal);
                entry.NoteReferred(relation, key);
            }
            Connect(relation, dependent, current, principal);
        }
        else if (isChanged)
        {
            object former = entry.LoadedOf(relation.Reference!).First();
            if (relation.KeyOf(former) is { } key && relation.PrincipalKeyOf(dependent) == key)
                Sever(entry, relation, former, relation.Reference!, dependent, former, isSaving);
        }
        else if (IsElsewhere(entry, relation, current))
        {
            // The foreign key itself was changed.
            entry.ForgetReferred(relation);
            var known = relation.PrincipalKeyOf(dependent) is { } key && tracker.TryGetEntry(relation.Principals.Entity, key, out var found) && found.CurrentState != EntityState.Deleted
                ? found.Entity
                : null;
            Connect(relation, dependent, current, known);
        }
    }

    /// <summary>True if the foreign key says something else than the properties.</summary>
    bool IsElsewhere(EntityEntry entry, RelationModel relation, object? current)
    {
        var key = relation.PrincipalKeyOf(entry.Entity);
        bool isOther = current is not null ? key != relation.KeyOf(current) : key is not null && relation.Reference is { } reference && (entry.IsNew || entry.IsLoaded(reference));
        return isOther || (_holders.TryGetValue((relation, entry.Entity), out var holders) && holders.Exists(holder => relation.KeyOf(holder.Entity) != key));
    }

    /// <summary>The entity that the properties say a dependent one refers to; null if that is for the foreign key to say.</summary>
    object? FindPrincipal(EntityEntry entry, RelationModel relation, object? current, bool isChanged)
    {
        if (isChanged && current is not null)
            return current;
        if (_claims.TryGetValue((relation, entry.Entity), out var claim))
            return claim.Entity;
        // The foreign key is as it was made here: then the key of the other entity, which is not saved yet, may have been changed.
        return !isChanged && entry.IsReferred(relation, relation.PrincipalKeyOf(entry.Entity)) && _holders.TryGetValue((relation, entry.Entity), out var holders)
            ? current ?? holders[0].Entity
            : null;
    }

    /// <summary>Makes both ends say the same.</summary>
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

    /// <summary>Finds the dependent entities that were taken out of what was loaded, and refer to the same entity still.</summary>
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
                    && navigation.Relation.PrincipalKeyOf(dependent) == navigation.Relation.KeyOf(entry.Entity))
                    Sever(severed, navigation.Relation, entry.Entity, navigation, entry.Entity, dependent, isSaving);
            }
        }
    }

    /// <param name="entry">The entity that has lost the one that it refers to.</param>
    /// <param name="relation">The relation.</param>
    /// <param name="principal">The entity that it refers to.</param>
    /// <param name="navigation">The property that says so.</param>
    /// <param name="owner">The entity that has the property.</param>
    /// <param name="lost">What the property has lost.</param>
    /// <param name="isSaving">True if a loss that cannot be is refused.</param>
    void Sever(EntityEntry entry, RelationModel relation, object principal, NavigationModel navigation, object owner, object lost, bool isSaving)
    {
        if (!relation.IsRequired)
        {
            relation.Clear(entry.Entity);
            entry.ForgetReferred(relation);
            // It is to be saved without the one that it was reached from.
            entry.IsReached = false;
            Connect(relation, entry.Entity, relation.Reference?.TargetOf(entry.Entity), null);
        }
        else if (entry.IsSpared)
        {
            // It was to be deleted for that, and the user has decided otherwise.
        }
        else if (relation.DeleteBehavior == DeleteBehavior.Cascade)
        {
            _unsettled.Add((navigation, owner, lost));
            entry.IsOrphan = entry.CurrentState != EntityState.Added;
            entry.OrphanOf = relation;
            tracker.Remove(entry);
        }
        else if (!isSaving)
            _unsettled.Add((navigation, owner, lost));
        else
        {
            string name = $"The {relation.Dependents.Entity.Name} {entry.Key}";
            throw new InvalidOperationException(
                $"{name} was taken from the {relation.Principals.Entity.Name} {relation.KeyOf(principal)}, and cannot be without one, since {string.Join(", ", relation.ForeignKey.Select(part => part.Name))} "
                    + "must have a value. Give it another one, remove it as well, or say OnDelete(DeleteBehavior.Cascade), which deletes what is taken out.");
        }
    }
}
