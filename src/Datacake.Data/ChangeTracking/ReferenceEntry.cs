namespace Datacake.Data;

/// <summary>The state of a reference of an entity to a related one, with operations to load it.</summary>
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

    /// <summary>Gets the related entity; null if there is none or it is not loaded.</summary>
    public TRelated? CurrentValue => Declared.ReferenceOf(Entry.Entity);
}
