using Datacake.Data.Querying;
using Datacake.EventualConsistency;

namespace Datacake.Data.Metadata;

/// <summary>
/// A navigation: a property of an entity class that refers to one or more related entities. It is not stored; its foreign key is.
/// </summary>
public abstract class NavigationModel
{
    private protected NavigationModel(RelationModel relation, string name, Type target, bool isCollection, bool isOnDependent)
    {
        Relation = relation;
        Name = name;
        Target = target;
        IsCollection = isCollection;
        IsOnDependent = isOnDependent;
    }

    /// <summary>Gets the name of the property.</summary>
    public string Name { get; }

    /// <summary>Gets the class of the related entities.</summary>
    public Type Target { get; }

    /// <summary>True if the property is a collection.</summary>
    public bool IsCollection { get; }

    /// <summary>True if the foreign key belongs to the class of the property, and not to the related class.</summary>
    public bool IsOnDependent { get; }

    /// <summary>Gets the relation.</summary>
    public RelationModel Relation { get; }

    /// <summary>Gets the inverse navigation, of the related class; null if there is none.</summary>
    public NavigationModel? Inverse => IsOnDependent ? Relation.Inverse : Relation.Reference;

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {(IsCollection ? "several " : "")}{Target.Name} by {string.Join(", ", Relation.ForeignKey.Select(part => part.Name))}";

    /// <summary>Gets the model of the related entities.</summary>
    internal EntityModel TargetModel => (IsOnDependent ? Relation.Principals : Relation.Dependents).Entity;

    /// <summary>Returns the related entities that the property of an entity has.</summary>
    internal abstract IReadOnlyList<object> TargetsOf(object entity);

    /// <summary>Returns the related entity that the property of an entity has, or the first of several; null if there is none.</summary>
    internal object? TargetOf(object entity) => TargetsOf(entity) is [var first, ..] ? first : null;

    /// <summary>Sets the property to a related entity, or adds the entity to the collection, if the property allows it.</summary>
    internal abstract void Add(object entity, object target);

    /// <summary>Removes a related entity, if it is present and the property allows it.</summary>
    internal abstract void Remove(object entity, object target);

    /// <summary>Returns an inclusion of this navigation and of the ones that follow it.</summary>
    /// <param name="rest">The navigations that follow this one.</param>
    /// <param name="filter">The filter of the last navigation; null to include all of its entities.</param>
    /// <param name="further">The inclusion in the entities of the last navigation; null if there is none.</param>
    internal abstract Inclusion<T> Include<T, TLast>(ReadOnlySpan<NavigationModel> rest, RelatedFilter<TLast>? filter, Inclusion<TLast>? further)
        where T : class
        where TLast : class;

    /// <summary>Creates the lookup that replaces the navigation in expressions, for one run of a query.</summary>
    internal abstract RelatedLookup CreateLookup();
}

/// <summary>A navigation to entities of one class.</summary>
abstract class NavigationModel<TTarget>(RelationModel relation, NavigationAccess<TTarget> access, bool isOnDependent)
    : NavigationModel(relation, access.Name, typeof(TTarget), access.Create is not null, isOnDependent)
    where TTarget : class
{
    public Func<ICollection<TTarget>>? Create => access.Create;

    /// <summary>Finds the related entities of a batch of entities.</summary>
    public abstract Task<RelatedEntities<TTarget>> FindAsync(
        RelatedSource source, IReadOnlyList<object> batch, RelatedFilter<TTarget>? filter, CancellationToken cancellationToken);

    public TTarget? ReferenceOf(object entity) => (TTarget?)access.Get(entity);

    public void SetReference(object entity, TTarget? value)
    {
        if (access.Set is null)
            throw new InvalidOperationException($"The property {Name} of {entity.GetType().Name} has no setter, so it cannot receive a related entity. Add a setter, which may be private.");
        access.Set(entity, value);
    }

    /// <summary>Returns the collection of an entity, which is created if it is null.</summary>
    public ICollection<TTarget> CollectionOf(object entity)
    {
        object? value = access.Get(entity);
        if (value is null && access.Set is not null)
        {
            access.Set(entity, access.Create!());
            // The setter may have made another collection of the given one.
            value = access.Get(entity);
        }
        return value is ICollection<TTarget> { IsReadOnly: false } collection
            ? collection
            : throw new InvalidOperationException(
                $"The collection {Name} of {entity.GetType().Name} is {(value is null ? "null and cannot be set" : "read-only")}, so nothing can be included in it. Initialize it with a list, "
                    + "or add a setter, which may be private.");
    }

    internal override IReadOnlyList<object> TargetsOf(object entity) => access.Get(entity) switch
    {
        null => [],
        IEnumerable<TTarget> several when IsCollection => [.. several.Where(static target => target is not null)],
        var one => [one],
    };

    internal override void Add(object entity, object target)
    {
        if (!IsCollection)
            access.Set?.Invoke(entity, target);
        else if ((access.Get(entity) is not null || access.Set is not null) && !TargetsOf(entity).Contains(target, ReferenceEqualityComparer.Instance)
            && access.Get(entity) is null or ICollection<TTarget> { IsReadOnly: false })
            CollectionOf(entity).Add((TTarget)target);
    }

    internal override void Remove(object entity, object target)
    {
        if (!IsCollection)
        {
            if (ReferenceEquals(access.Get(entity), target))
                access.Set?.Invoke(entity, null);
        }
        else if (access.Get(entity) is ICollection<TTarget> { IsReadOnly: false } collection)
            collection.Remove((TTarget)target);
    }

    internal override Inclusion<T> Include<T, TLast>(ReadOnlySpan<NavigationModel> rest, RelatedFilter<TLast>? filter, Inclusion<TLast>? further)
    {
        if (rest.IsEmpty)
        {
            var last = new DeclaredInclusion<T, TTarget>(this, (RelatedFilter<TTarget>?)(object?)filter);
            return further is null ? last : last.Then((Inclusion<TTarget>)(object)further);
        }
        return new DeclaredInclusion<T, TTarget>(this, null).Then(rest[0].Include<TTarget, TLast>(rest[1..], filter, further));
    }

    internal override RelatedLookup CreateLookup() => new RelatedLookup<TTarget>(this);
}

/// <summary>The navigation from a dependent to the principal that its foreign key refers to.</summary>
sealed class PrincipalNavigation<TDependent, TPrincipal>(RelationModel<TDependent, TPrincipal> relation, NavigationAccess<TPrincipal> access)
    : NavigationModel<TPrincipal>(relation, access, isOnDependent: true)
    where TDependent : class
    where TPrincipal : class
{
    public override Task<RelatedEntities<TPrincipal>> FindAsync(
        RelatedSource source, IReadOnlyList<object> batch, RelatedFilter<TPrincipal>? filter, CancellationToken cancellationToken) =>
        relation.FindPrincipalsAsync(source, batch, cancellationToken);
}

/// <summary>The navigation from a principal to the dependents whose foreign keys refer to it.</summary>
sealed class DependentNavigation<TDependent, TPrincipal>(RelationModel<TDependent, TPrincipal> relation, NavigationAccess<TDependent> access)
    : NavigationModel<TDependent>(relation, access, isOnDependent: false)
    where TDependent : class
    where TPrincipal : class
{
    public override Task<RelatedEntities<TDependent>> FindAsync(
        RelatedSource source, IReadOnlyList<object> batch, RelatedFilter<TDependent>? filter, CancellationToken cancellationToken) =>
        relation.FindDependentsAsync(source, batch, filter, cancellationToken);
}
