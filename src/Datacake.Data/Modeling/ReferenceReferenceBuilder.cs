using System.ComponentModel;

namespace Datacake.Data;

/// <summary>Describes a relation of one entity to one in <see cref="DatacakeContext.OnModelCreating"/>.</summary>
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
    /// Names the properties that hold the key of the other entity, and the class that has them: <c>HasForeignKey&lt;Passport>(p => p.PersonId)</c>.
    /// </summary>
    public abstract ReferenceReferenceBuilder<T, TRelated> HasForeignKey<TDependent>(Func<TDependent, object?> properties)
        where TDependent : class;

    /// <summary>Says what becomes of the dependent entity when the one that it refers to is deleted.</summary>
    public abstract ReferenceReferenceBuilder<T, TRelated> OnDelete(DeleteBehavior behavior);

    /// <summary>Says whether the dependent entity can be without the other one. It cannot if the foreign key cannot be null.</summary>
    public abstract ReferenceReferenceBuilder<T, TRelated> IsRequired(bool required = true);

    /// <summary>Cannot be here.</summary>
    [Obsolete("A foreign key holds the key of the other entity: make the property that it refers to the key of its class.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ReferenceReferenceBuilder<T, TRelated> HasPrincipalKey<TPrincipal>(Func<TPrincipal, object?> properties)
        where TPrincipal : class;
}
