using System.ComponentModel;

namespace Datacake.Data;

/// <summary>The builder of a one-to-one relation in <see cref="DatacakeContext.OnModelCreating"/>.</summary>
/// <typeparam name="T">The entity class.</typeparam>
/// <typeparam name="TRelated">The class of the other entity.</typeparam>
public abstract class ReferenceReferenceBuilder<T, TRelated>
    where T : class
    where TRelated : class
{
    private protected ReferenceReferenceBuilder()
    {
    }

    /// <summary>
    /// Sets the properties that hold the key of the other entity, and the class that has them:
    /// <c>HasForeignKey&lt;Passport>(p => p.PersonId)</c>.
    /// </summary>
    public abstract ReferenceReferenceBuilder<T, TRelated> HasForeignKey<TDependent>(Func<TDependent, object?> properties)
        where TDependent : class;

    /// <summary>Sets the action that a save takes on the dependent of a deleted principal.</summary>
    public abstract ReferenceReferenceBuilder<T, TRelated> OnDelete(DeleteBehavior behavior);

    /// <summary>Sets whether a dependent requires a principal. It always does if the foreign key cannot be null.</summary>
    public abstract ReferenceReferenceBuilder<T, TRelated> IsRequired(bool required = true);

    /// <summary>Not supported. A foreign key refers to the key of a class.</summary>
    [Obsolete("A foreign key holds the key of the other entity. Make the property that it refers to the key of its class.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ReferenceReferenceBuilder<T, TRelated> HasPrincipalKey<TPrincipal>(Func<TPrincipal, object?> properties)
        where TPrincipal : class;
}
