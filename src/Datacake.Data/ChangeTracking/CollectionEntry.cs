using Datacake.Data.Querying;
using Datacake.Data.Querying.Related;

namespace Datacake.Data;

/// <summary>The state of a collection navigation of an entity, with operations to load it.</summary>
/// <typeparam name="T">The entity class.</typeparam>
/// <typeparam name="TRelated">The class of the related entities.</typeparam>
public sealed class CollectionEntry<T, TRelated> : NavigationEntry<T, TRelated>
    where T : class
    where TRelated : class
{
    internal CollectionEntry(EntityEntry<T> entry, NavigationModel metadata)
        : base(entry, metadata)
    {
    }

    /// <summary>Gets the related entities that are in the collection.</summary>
    public IReadOnlyList<TRelated> CurrentValue => [.. Declared.TargetsOf(Entry.Entity).Cast<TRelated>()];

    /// <summary>Returns a query for the related entities. The query does not load them into the collection.</summary>
    public Query<TRelated> Query()
    {
        var dependents = RelatedReader.DependentsOf<TRelated>(Declared.Relation, [Entry.Entity]);
        return new EntityOperator<TRelated>(EntitySource<TRelated>.Of(Entry.Context), dependents, QuerySettings.Default).ToQuery();
    }
}
