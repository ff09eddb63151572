using Datacake.Data.Metadata;
using Datacake.EventualConsistency;

namespace Datacake.Data;

public partial class EntityEntry
{
    static readonly HashSet<object> Nothing = [];

    // What the properties with related entities had when they were loaded, saved or looked at last.
    Dictionary<NavigationModel, (HashSet<object> Targets, bool IsComplete)>? _loaded;

    // The foreign keys that were made of what properties say, since the last save.
    Dictionary<RelationModel, DocumentKey>? _referred;

    /// <summary>True if the entity is tracked only since a tracked one leads to it, and forgotten if none does any more.</summary>
    internal bool IsReached { get; set; }

    /// <summary>True if the context has added the entity, so that all that it refers to is known.</summary>
    internal bool IsNew { get; set; }

    /// <summary>True if the store may have the entity already: then a save updates it.</summary>
    internal bool MayBeStored { get; set; }

    /// <summary>True if the entity is to be deleted only since it was taken out of what it cannot be without.</summary>
    internal bool IsOrphan { get; set; }

    /// <summary>Gets or sets the relation by which the entity was last found to be taken out of what it cannot be without.</summary>
    internal RelationModel? OrphanOf { get; set; }

    /// <summary>True if the entity is to be deleted only since one that it refers to is.</summary>
    internal bool IsCascaded { get; set; }

    /// <summary>True if the user has given the entity another state after it was to be deleted with what it refers to, or since it was taken out of that: then it stays.</summary>
    internal bool IsSpared { get; set; }

    /// <summary>The related entities that a property had when it was loaded, saved or looked at last.</summary>
    internal HashSet<object> LoadedOf(NavigationModel navigation) =>
        _loaded is not null && _loaded.TryGetValue(navigation, out var known) ? known.Targets : Nothing;

    /// <summary>True if all related entities of a property were loaded.</summary>
    internal bool IsLoaded(NavigationModel navigation) => _loaded is not null && _loaded.TryGetValue(navigation, out var known) && known.IsComplete;

    /// <summary>Notes which related entities a property has.</summary>
    internal void SetLoaded(NavigationModel navigation, IEnumerable<object> targets, bool isComplete) =>
        (_loaded ??= [])[navigation] = (new HashSet<object>(targets, ReferenceEqualityComparer.Instance), isComplete);

    /// <summary>Notes which related entities the properties have now, as those that are saved.</summary>
    internal void TakeNavigations()
    {
        NoteNavigations([]);
        IsReached = MayBeStored = IsOrphan = IsCascaded = IsSpared = false;
        _referred = null;
    }

    /// <summary>Notes which related entities the properties of an attached entity have, as far as the foreign keys say the same.</summary>
    internal void TakeMatchingNavigations()
    {
        foreach (var navigation in Keyspace.Entity.Navigations)
        {
            var relation = navigation.Relation;
            SetLoaded(
                navigation,
                navigation.TargetsOf(Entity).Where(target => navigation.IsOnDependent
                    ? relation.PrincipalKeyOf(Entity) == relation.KeyOf(target)
                    : relation.PrincipalKeyOf(target) == relation.KeyOf(Entity)),
                isComplete: false);
        }
    }

    /// <summary>True if a property that has one related entity has another one than when it was loaded or saved last.</summary>
    internal bool IsChanged(NavigationModel navigation, object? current) => current is null ? LoadedOf(navigation).Count > 0 : !LoadedOf(navigation).Contains(current);

    internal void ForgetNavigations() => (_loaded, _referred, IsNew, IsCascaded, IsSpared) = (null, null, false, false, false);

    /// <summary>Notes which related entities the properties have now, after a look at them.</summary>
    /// <param name="unsettled">What properties have lost without being done with it.</param>
    internal void NoteNavigations(HashSet<(NavigationModel Navigation, object Entity, object Lost)> unsettled)
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

    /// <summary>Brings the properties that have what the entity refers to to what the foreign keys say, if they say something else.</summary>
    void TakeStoredReferences(ChangeTracker tracker)
    {
        foreach (var navigation in Keyspace.Entity.Navigations.Where(static navigation => navigation.IsOnDependent))
        {
            var relation = navigation.Relation;
            if (navigation.TargetOf(Entity) is not { } current || relation.PrincipalKeyOf(Entity) == relation.KeyOf(current))
                continue;
            navigation.Remove(Entity, current);
            if (relation.PrincipalKeyOf(Entity) is { } key && tracker.TryGetEntry(relation.Principals.Entity, key, out var known))
                navigation.Add(Entity, known.Entity);
            SetLoaded(navigation, navigation.TargetsOf(Entity), isComplete: false);
        }
    }

    /// <summary>Notes the foreign key that was made of what properties say.</summary>
    internal void NoteReferred(RelationModel relation, DocumentKey key) => (_referred ??= [])[relation] = key;

    /// <summary>Notes that the foreign key was changed otherwise.</summary>
    internal void ForgetReferred(RelationModel relation) => _referred?.Remove(relation);

    /// <summary>True if the foreign key is as it was made of what properties said.</summary>
    internal bool IsReferred(RelationModel relation, DocumentKey? key) => _referred is not null && _referred.TryGetValue(relation, out var known) && known == key;
}
