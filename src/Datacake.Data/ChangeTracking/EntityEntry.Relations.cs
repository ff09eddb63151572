using Datacake.Data.Metadata;

namespace Datacake.Data;

public partial class EntityEntry
{
    static readonly HashSet<object> Nothing = [];

    // What the properties with related entities had when they were loaded or saved last.
    Dictionary<NavigationModel, (HashSet<object> Targets, bool IsComplete)>? _loaded;

    /// <summary>True if the entity is tracked only since a tracked one leads to it, and forgotten if none does any more.</summary>
    internal bool IsReached { get; set; }

    /// <summary>True if the store may have the entity already: then a save updates it.</summary>
    internal bool MayBeStored { get; set; }

    /// <summary>True if the entity is to be deleted only since it was taken out of what it cannot be without.</summary>
    internal bool IsOrphan { get; set; }

    /// <summary>The related entities that a property had when it was loaded or saved last.</summary>
    internal HashSet<object> LoadedOf(NavigationModel navigation) =>
        _loaded is not null && _loaded.TryGetValue(navigation, out var known) ? known.Targets : Nothing;

    /// <summary>True if all related entities of a property were loaded.</summary>
    internal bool IsLoaded(NavigationModel navigation) => _loaded is not null && _loaded.TryGetValue(navigation, out var known) && known.IsComplete;

    /// <summary>Notes which related entities a property has.</summary>
    internal void SetLoaded(NavigationModel navigation, IEnumerable<object> targets, bool isComplete) =>
        (_loaded ??= [])[navigation] = (new HashSet<object>(targets, ReferenceEqualityComparer.Instance), isComplete);

    /// <summary>Notes which related entities the properties have now, as those that are saved.</summary>
    /// <param name="isNew">True if it was added, so that nothing else refers to it.</param>
    internal void TakeNavigations(bool isNew)
    {
        foreach (var navigation in Keyspace.Entity.Navigations)
            SetLoaded(navigation, navigation.TargetsOf(Entity), isNew || IsLoaded(navigation));
        IsReached = MayBeStored = IsOrphan = false;
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

    internal void ForgetNavigations() => _loaded = null;
}
