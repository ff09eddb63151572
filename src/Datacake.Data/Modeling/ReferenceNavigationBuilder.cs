namespace Datacake.Data;

/// <summary>Describes a reference to another entity in <see cref="DatacakeContext.OnModelCreating"/>.</summary>
/// <typeparam name="T">The entity class.</typeparam>
/// <typeparam name="TRelated">The class of the other entity.</typeparam>
public abstract class ReferenceNavigationBuilder<T, TRelated>
    where T : class
    where TRelated : class
{
    private protected ReferenceNavigationBuilder()
    {
    }

    /// <summary>Says that several entities refer to one.</summary>
    /// <param name="navigation">The collection of the other class that has them; null if there is none.</param>
    public abstract ReferenceCollectionBuilder<TRelated, T> WithMany(Func<TRelated, IEnumerable<T>?>? navigation = null);

    /// <summary>Says that at most one entity refers to each.</summary>
    /// <param name="navigation">The property of the other class that has it; null if there is none.</param>
    public abstract ReferenceReferenceBuilder<T, TRelated> WithOne(Func<TRelated, T?>? navigation = null);
}
