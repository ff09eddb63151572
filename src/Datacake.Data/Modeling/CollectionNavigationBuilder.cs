using System.ComponentModel;

namespace Datacake.Data;

/// <summary>Describes the entities that refer to one in <see cref="DatacakeContext.OnModelCreating"/>.</summary>
/// <typeparam name="T">The entity class.</typeparam>
/// <typeparam name="TRelated">The class of the entities that refer to it.</typeparam>
public abstract class CollectionNavigationBuilder<T, TRelated>
    where T : class
    where TRelated : class
{
    private protected CollectionNavigationBuilder()
    {
    }

    /// <summary>Says that each of them refers to one.</summary>
    /// <param name="navigation">The property of the other class that has it; null if there is none.</param>
    public abstract ReferenceCollectionBuilder<T, TRelated> WithOne(Func<TRelated, T?>? navigation = null);

    /// <summary>Needs a class of its own here.</summary>
    [Obsolete("Many-to-many needs a class that refers to both, such as Enrollment with StudentId and CourseId, and a keyspace of it.", error: true)]
    [EditorBrowsable(EditorBrowsableState.Never)]
    public abstract ReferenceCollectionBuilder<T, TRelated> WithMany(Func<TRelated, IEnumerable<T>?>? navigation = null);
}
