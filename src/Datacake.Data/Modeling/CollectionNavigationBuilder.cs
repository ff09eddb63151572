using System.ComponentModel;

namespace Datacake.Data;

/// <summary>The builder of a collection of related entities in <see cref="DatacakeContext.OnModelCreating"/>.</summary>
/// <typeparam name="T">The entity class.</typeparam>
/// <typeparam name="TRelated">The class of the related entities.</typeparam>
public abstract class CollectionNavigationBuilder<T, TRelated>
    where T : class
    where TRelated : class
{
    private protected CollectionNavigationBuilder()
    {
    }

    /// <summary>Declares that each related entity refers to one entity.</summary>
    /// <param name="navigation">The reference of the related class; null if there is none.</param>
    public abstract ReferenceCollectionBuilder<T, TRelated> WithOne(Func<TRelated, T?>? navigation = null);

    /// <summary>Not supported. Declare a class that refers to both entities.</summary>
    [Obsolete("Many-to-many relations need a class that refers to both, such as Enrollment with StudentId and CourseId, and a keyspace of that class.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ReferenceCollectionBuilder<T, TRelated> WithMany(Func<TRelated, IEnumerable<T>?>? navigation = null);
}
