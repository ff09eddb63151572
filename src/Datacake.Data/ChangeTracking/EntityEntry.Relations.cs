using Datacake.EventualConsistency;

namespace Datacake.Data;

public partial class EntityEntry
{
    static readonly HashSet<object> Nothing = [];

    // The targets of each navigation when it was last loaded, saved or examined.
    Dictionary<NavigationModel, (HashSet<object> Targets, bool IsComplete)>? _loaded;

    // The foreign keys that were set from navigations since the last save.
    Dictionary<RelationModel, DocumentKey>? _foreignKeysFromNavigations;

    /// <summary>
    /// True if the entity is tracked only because it is reachable from another tracked entity. Tracking ends when it no longer is.
    /// </summary>
    internal bool IsReached { get; set; }

    /// <summary>True if this context added the entity, so that everything it refers to is known.</summary>
    internal bool IsNew { get; set; }

    /// <summary>True if the entity may already be stored. If it is, a save updates it.</summary>
    internal bool MayBeStored { get; set; }

    /// <summary>True if the entity is to be deleted only because it lost a required principal.</summary>
    internal bool IsOrphan { get; set; }

    /// <summary>Gets or sets the relation in which the entity was last found to have lost a required principal.</summary>
    internal RelationModel? OrphanOf { get; set; }

    /// <summary>True if the entity is to be deleted only because an entity that it refers to is deleted.</summary>
    internal bool IsCascaded { get; set; }

    /// <summary>
    /// True if the entity was to be deleted by cascade, or because it lost a required principal, and the user then gave it another state.
    /// The entity is kept.
    /// </summary>
    internal bool IsDeleteOverridden { get; set; }

    /// <summary>Returns the targets that a navigation had when it was last loaded, saved or examined.</summary>
    internal HashSet<object> LoadedOf(NavigationModel navigation) =>
        _loaded is not null && _loaded.TryGetValue(navigation, out var known) ? known.Targets : Nothing;

    /// <summary>Returns true if all related entities of a navigation were loaded.</summary>
    internal bool IsLoaded(NavigationModel navigation) => _loaded is not null && _loaded.TryGetValue(navigation, out var known) && known.IsComplete;

    /// <summary>Records the targets of a navigation.</summary>
    internal void SetLoaded(NavigationModel navigation, IEnumerable<object> targets, bool isComplete) =>
        (_loaded ??= [])[navigation] = (new HashSet<object>(targets, ReferenceEqualityComparer.Instance), isComplete);

    /// <summary>Records the current targets of all navigations as saved.</summary>
    internal void AcceptNavigations()
    {
        RecordNavigations([]);
        ForgetPending();
    }

    /// <summary>Records the targets of the navigations of an attached entity, as far as they agree with the foreign keys.</summary>
    internal void RecordMatchingNavigations()
    {
        foreach (var navigation in Keyspace.Entity.Navigations)
        {
            var relation = navigation.Relation;
            SetLoaded(
                navigation,
                navigation.TargetsOf(Entity).Where(target => navigation.IsOnDependent ? _tracker.Refers(relation, Entity, target) : _tracker.Refers(relation, target, Entity)),
                isComplete: false);
        }
    }

    /// <summary>Returns true if the target of a reference differs from the one that was last loaded or saved.</summary>
    internal bool IsChanged(NavigationModel navigation, object? current) => current is null ? LoadedOf(navigation).Count > 0 : !LoadedOf(navigation).Contains(current);

    /// <summary>Forgets what is to become of the entity and its foreign keys because of changed navigations.</summary>
    internal void ForgetPending()
    {
        IsReached = MayBeStored = IsOrphan = IsCascaded = IsDeleteOverridden = false;
        _foreignKeysFromNavigations = null;
    }

    internal void ForgetNavigations() => (_loaded, _foreignKeysFromNavigations, IsNew, IsCascaded, IsDeleteOverridden) = (null, null, false, false, false);

    /// <summary>Records the current targets of all navigations after they were examined.</summary>
    /// <param name="unsettled">Lost targets that still have to be handled. They stay recorded.</param>
    internal void RecordNavigations(HashSet<(NavigationModel Navigation, object Entity, object Lost)> unsettled)
    {
        foreach (var navigation in Keyspace.Entity.Navigations)
        {
            var loaded = LoadedOf(navigation);
            var current = navigation.TargetsOf(Entity);
            if (loaded.Count == current.Count && current.All(loaded.Contains))
                continue;
            SetLoaded(navigation, [.. current, .. loaded.Where(lost => unsettled.Contains((navigation, Entity, lost)))], IsLoaded(navigation));
        }
    }

    /// <summary>Updates the references that disagree with the foreign keys.</summary>
    void UpdateReferences(ChangeTracker tracker)
    {
        foreach (var navigation in Keyspace.Entity.Navigations.Where(static navigation => navigation.IsOnDependent))
        {
            var relation = navigation.Relation;
            if (navigation.TargetOf(Entity) is not { } current || tracker.Refers(relation, Entity, current))
                continue;
            navigation.Remove(Entity, current);
            if (relation.PrincipalKeyOf(Entity) is { } key && tracker.TryGetEntry(relation.Principals.Entity, key, out var known))
                navigation.Add(Entity, known.Entity);
            SetLoaded(navigation, navigation.TargetsOf(Entity), isComplete: false);
        }
    }

    /// <summary>Records a foreign key that was set from a navigation.</summary>
    internal void RecordForeignKey(RelationModel relation, DocumentKey key) => (_foreignKeysFromNavigations ??= [])[relation] = key;

    /// <summary>Records that a foreign key was changed in another way.</summary>
    internal void ForgetForeignKey(RelationModel relation) => _foreignKeysFromNavigations?.Remove(relation);

    /// <summary>Returns true if a foreign key still has the value that was set from a navigation.</summary>
    internal bool IsForeignKeyFromNavigation(RelationModel relation, DocumentKey? key) =>
        _foreignKeysFromNavigations is not null && _foreignKeysFromNavigations.TryGetValue(relation, out var known) && known == key;
}
