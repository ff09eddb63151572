using System.ComponentModel;
using System.Linq.Expressions;
using Datacake.Data.Metadata;

namespace Datacake.Data.CodeGeneration;

/// <inheritdoc/>
/// <typeparam name="TDependent">The dependent class, which has the foreign key.</typeparam>
/// <typeparam name="TPrincipal">The principal class, which the foreign key refers to.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class RelationModel<TDependent, TPrincipal> : RelationModel, IRelationOf<TDependent>
    where TDependent : class
    where TPrincipal : class
{
    /// <summary>Creates a relation. For generated code.</summary>
    /// <param name="dependents">The keyspace of the dependents, which have the foreign key.</param>
    /// <param name="principals">The keyspace of the principals, which the foreign key refers to.</param>
    /// <param name="foreignKey">The properties of the foreign key, in the order of the principal's key.</param>
    /// <param name="deleteBehavior">The action that a save takes on the dependents of a deleted principal.</param>
    /// <param name="reference">The navigation from a dependent to its principal.</param>
    /// <param name="inverse">The navigation from a principal to its dependents.</param>
    public RelationModel(
        KeyspaceModel dependents,
        KeyspaceModel principals,
        IReadOnlyList<ForeignKeyPart<TDependent>> foreignKey,
        DeleteBehavior deleteBehavior,
        NavigationAccess<TPrincipal>? reference,
        NavigationAccess<TDependent>? inverse)
        : base(
            dependents ?? throw new ArgumentNullException(nameof(dependents)), principals ?? throw new ArgumentNullException(nameof(principals)),
            [.. foreignKey.Select(part => dependents.Entity.FindProperty(part.Name)!)], deleteBehavior)
    {
        Parts = foreignKey;
        Reference = reference is null ? null : new NavigationModel<TPrincipal>(this, reference, isOnDependent: true);
        Inverse = inverse is null ? null : new NavigationModel<TDependent>(this, inverse, isOnDependent: false);
    }

    /// <inheritdoc/>
    public override NavigationModel? Reference { get; }

    /// <inheritdoc/>
    public override NavigationModel? Inverse { get; }

    /// <summary>
    /// Gets the condition that an entity has the derived class that declares the foreign key; null if all dependents have it.
    /// </summary>
    public Expression<Func<TDependent, bool>>? OfDependentClass { get; init; }

    internal IReadOnlyList<ForeignKeyPart<TDependent>> Parts { get; }

    IReadOnlyList<ForeignKeyPart<TDependent>> IRelationOf<TDependent>.Parts => Parts;
}
