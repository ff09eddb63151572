using System.ComponentModel;

namespace Datacake.Data;

/// <summary>The builder of a many-to-one relation in <see cref="DatacakeContext.OnModelCreating"/>.</summary>
/// <typeparam name="TPrincipal">The class that the foreign key refers to.</typeparam>
/// <typeparam name="TDependent">The class that has the foreign key.</typeparam>
public abstract class ReferenceCollectionBuilder<TPrincipal, TDependent>
    where TPrincipal : class
    where TDependent : class
{
    private protected ReferenceCollectionBuilder()
    {
    }

    /// <summary>
    /// Sets the properties that hold the key of the principal, in the order of its key: <c>o => o.CustomerId</c>, or
    /// <c>o => new { o.Country, o.Number }</c>.
    /// </summary>
    public abstract ReferenceCollectionBuilder<TPrincipal, TDependent> HasForeignKey(Func<TDependent, object?> properties);

    /// <summary>Sets the action that a save takes on the dependents of a deleted principal.</summary>
    public abstract ReferenceCollectionBuilder<TPrincipal, TDependent> OnDelete(DeleteBehavior behavior);

    /// <summary>Sets whether a dependent requires a principal. It always does if the foreign key cannot be null.</summary>
    public abstract ReferenceCollectionBuilder<TPrincipal, TDependent> IsRequired(bool required = true);

    /// <summary>Not supported. A foreign key refers to the key of a class.</summary>
    [Obsolete("A foreign key holds the key of the other entity. Make the property that it refers to the key of its class.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ReferenceCollectionBuilder<TPrincipal, TDependent> HasPrincipalKey(Func<TPrincipal, object?> properties);
}
