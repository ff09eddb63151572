using System.ComponentModel;

namespace Datacake.Data;

/// <summary>Describes a relation of several entities to one in <see cref="DatacakeContext.OnModelCreating"/>.</summary>
/// <typeparam name="TPrincipal">The class that is referred to.</typeparam>
/// <typeparam name="TDependent">The class that has the foreign key.</typeparam>
public abstract class ReferenceCollectionBuilder<TPrincipal, TDependent>
    where TPrincipal : class
    where TDependent : class
{
    private protected ReferenceCollectionBuilder()
    {
    }

    /// <summary>
    /// Names the properties that hold the key of the other entity, in the order of its key: <c>o => o.CustomerId</c>, or
    /// <c>o => new { o.Country, o.Number }</c>.
    /// </summary>
    public abstract ReferenceCollectionBuilder<TPrincipal, TDependent> HasForeignKey(Func<TDependent, object?> properties);

    /// <summary>Says what becomes of the dependent entities when the one that they refer to is deleted.</summary>
    public abstract ReferenceCollectionBuilder<TPrincipal, TDependent> OnDelete(DeleteBehavior behavior);

    /// <summary>Says whether a dependent entity can be without the other one. It cannot if the foreign key cannot be null.</summary>
    public abstract ReferenceCollectionBuilder<TPrincipal, TDependent> IsRequired(bool required = true);

    /// <summary>Cannot be here.</summary>
    [Obsolete("A foreign key holds the key of the other entity: make the property that it refers to the key of its class.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ReferenceCollectionBuilder<TPrincipal, TDependent> HasPrincipalKey(Func<TPrincipal, object?> properties);
}
