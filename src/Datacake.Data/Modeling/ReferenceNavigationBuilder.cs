namespace Datacake.Data;

/// <summary>The builder of a reference to another entity in <see cref="DatacakeContext.OnModelCreating"/>.</summary>
/// <typeparam name="T">The entity class.</typeparam>
/// <typeparam name="TRelated">The class of the other entity.</typeparam>
public abstract class ReferenceNavigationBuilder<T, TRelated>
    where T : class
    where TRelated : class
{
    private protected ReferenceNavigationBuilder()
    {
    }

    /// <summary>Declares that several entities may refer to the same one.</summary>
    /// <param name="navigation">The collection of the other class that contains these entities; null if there is none.</param>
    public abstract ReferenceCollectionBuilder<TRelated, T> WithMany(Func<TRelated, IEnumerable<T>?>? navigation = null);

    /// <summary>Declares that at most one entity refers to each.</summary>
    /// <param name="navigation">The reference of the other class to that entity; null if there is none.</param>
    public abstract ReferenceReferenceBuilder<T, TRelated> WithOne(Func<TRelated, T?>? navigation = null);
}
