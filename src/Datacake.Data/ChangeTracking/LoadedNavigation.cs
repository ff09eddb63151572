using Datacake.Data.Metadata;

namespace Datacake.Data.ChangeTracking;

/// <summary>The assignment of loaded entities to a navigation of an entity. Changes that are not saved yet are kept.</summary>
/// <param name="tracker">The tracker.</param>
/// <param name="navigation">The navigation.</param>
/// <param name="isComplete">True if all related entities that are stored are loaded.</param>
readonly struct LoadedNavigation<TRelated>(ChangeTracker tracker, NavigationModel<TRelated> navigation, bool isComplete)
    where TRelated : class
{
    /// <summary>Assigns the related entities to the entity, and the entity to their inverse navigations.</summary>
    public void Assign(object entity, IReadOnlyList<TRelated> related)
    {
        var entry = EntryOf(entity);
        // Nothing in the store can be related to an entity that has no key yet.
        if (entry is not null && (navigation.IsOnDependent ? tracker.FindUnnumbered(navigation.Relation, entity) is not null : tracker.AwaitsKey(entry)))
        {
            entry.SetLoaded(navigation, entry.LoadedOf(navigation), isComplete: true);
            return;
        }
        if (navigation.IsCollection)
            Fill(entity, related, entry);
        else
            Set(entity, related.Count > 0 ? related[0] : null, entry);
        // Entities that an earlier load brought and the filter leaves out stay.
        entry?.SetLoaded(navigation, isComplete ? related : entry.LoadedOf(navigation).Concat(related).ToList(), isComplete || entry.IsLoaded(navigation));
        if (navigation.Inverse is not { IsCollection: false } inverse)
            return;
        foreach (var target in related)
            SetInverse(inverse, entity, target, EntryOf(target));
    }

    EntityEntry? EntryOf(object entity) => tracker.TryGetEntry(entity, out var entry) ? entry : null;

    /// <summary>Sets the reference, unless it was changed to an entity that is not saved yet.</summary>
    void Set(object entity, TRelated? target, EntityEntry? entry)
    {
        var current = navigation.ReferenceOf(entity);
        if (!ReferenceEquals(current, target) && (entry is null || !entry.IsChanged(navigation, current)))
            navigation.SetReference(entity, target);
    }

    /// <summary>
    /// Fills the collection. For a tracked entity, unsaved additions and removals are kept, and entities that an earlier load brought
    /// follow those that a filter selects.
    /// </summary>
    void Fill(object entity, IReadOnlyList<TRelated> related, EntityEntry? entry)
    {
        var collection = navigation.CollectionOf(entity);
        NavigationModel<TRelated>.Fill(collection, entry is null ? related : WithUnsaved(collection, related, entry.LoadedOf(navigation)));
    }

    List<TRelated> WithUnsaved(ICollection<TRelated> collection, IReadOnlyList<TRelated> related, HashSet<object> before)
    {
        var current = new HashSet<object>(collection, ReferenceEqualityComparer.Instance);
        var stored = new HashSet<object>(related, ReferenceEqualityComparer.Instance);
        var all = new List<TRelated>();
        foreach (var target in related)
        {
            if ((!before.Contains(target) || current.Contains(target)) && StateOf(target) != EntityState.Deleted)
                all.Add(target);
        }
        foreach (var target in collection)
        {
            if (!stored.Contains(target) && (!isComplete || !before.Contains(target) || StateOf(target) == EntityState.Added))
                all.Add(target);
        }
        return all;
    }

    EntityState StateOf(TRelated target) => EntryOf(target)?.CurrentState ?? EntityState.Detached;

    /// <summary>Sets the inverse reference of a loaded entity, unless it was changed.</summary>
    static void SetInverse(NavigationModel inverse, object entity, TRelated target, EntityEntry? entry)
    {
        var current = inverse.TargetOf(target);
        if (entry is not null && entry.IsChanged(inverse, current))
            return;
        if (!ReferenceEquals(current, entity))
            inverse.Add(target, entity);
        entry?.SetLoaded(inverse, [entity], isComplete: true);
    }
}
