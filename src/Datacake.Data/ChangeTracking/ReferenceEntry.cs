using Datacake.Data.Metadata;

namespace Datacake.Data;

/// <summary>A property of a tracked entity that has one related entity.</summary>
/// <typeparam name="T">The entity class.</typeparam>
/// <typeparam name="TRelated">The class of the related entity.</typeparam>
public sealed class ReferenceEntry<T, TRelated> : NavigationEntry<T, TRelated>
    where T : class
    where TRelated : class
{
    internal ReferenceEntry(EntityEntry<T> entry, NavigationModel metadata)
        : base(entry, metadata)
    {
    }

    /// <summary>Gets the related entity that the property has; null if there is none, or if it is not loaded.</summary>
    public TRelated? CurrentValue => Declared.ReferenceOf(Entry.Entity);
}
