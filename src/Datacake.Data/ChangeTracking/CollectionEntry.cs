using Datacake.Data.Metadata;
using Datacake.Data.Querying;

namespace Datacake.Data;

/// <summary>A collection of related entities of a tracked entity.</summary>
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

    /// <summary>Gets the related entities that the collection has.</summary>
    public IReadOnlyList<TRelated> CurrentValue => [.. Declared.TargetsOf(Entry.Entity).Cast<TRelated>()];

    /// <summary>Returns a query for the related entities, which loads nothing into the collection.</summary>
    public Query<TRelated> Query()
    {
        var relation = (IDependents<TRelated>)Declared.Relation;
        return new EntityQuery<TRelated>(Entry.Context.Set<TRelated>(), relation.DependentsOf([Entry.Entity]), QuerySettings.Default);
    }
}
