using Datacake.Data.Querying;
using Datacake.EventualConsistency;

namespace Datacake.Data.Metadata;

/// <summary>A property of an entity class that has one or several related entities. It is not stored: the foreign key is.</summary>
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

    /// <summary>True if it has several entities.</summary>
    public bool IsCollection { get; }

    /// <summary>True if the foreign key is a property of the same class, and not of the related one.</summary>
    public bool IsOnDependent { get; }

    /// <summary>Gets the relation.</summary>
    public RelationModel Relation { get; }

    /// <summary>Gets the property of the related class that leads back; null if there is none.</summary>
    public NavigationModel? Inverse => IsOnDependent ? Relation.Inverse : Relation.Reference;

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {(IsCollection ? "several " : "")}{Target.Name} by {string.Join(", ", Relation.ForeignKey.Select(part => part.Name))}";

    /// <summary>The model of the related entities.</summary>
    internal EntityModel TargetModel => (IsOnDependent ? Relation.Principals : Relation.Dependents).Entity;

    /// <summary>The related entities that the property of an entity has.</summary>
    internal abstract IReadOnlyList<object> TargetsOf(object entity);

    /// <summary>The related entity that the property of an entity has, or the first of several; null if there is none.</summary>
    internal object? TargetOf(object entity) => TargetsOf(entity) is [var first, ..] ? first : null;

    /// <summary>Makes an entity the related one, or one of several, if the property can be set or added to.</summary>
    internal abstract void Add(object entity, object target);

    /// <summary>Takes an entity out, if it is there and the property can be set or taken from.</summary>
    internal abstract void Remove(object entity, object target);

    /// <summary>Returns what includes the property, and others behind it.</summary>
    /// <param name="rest">The properties on the way from the related entities on.</param>
    /// <param name="filter">Which of the last ones are included; null for all.</param>
    /// <param name="further">What the last ones include; null if nothing.</param>
    internal abstract Inclusion<T> Include<T, TLast>(ReadOnlySpan<NavigationModel> rest, RelatedFilter<TLast>? filter, Inclusion<TLast>? further)
        where T : class
        where TLast : class;

    /// <summary>Returns what takes its place in expressions, for one run of a query.</summary>
    internal abstract RelatedLookup CreateLookup();
}

/// <summary>A property with related entities of one class.</summary>
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
            throw new InvalidOperationException($"The property {Name} of {entity.GetType().Name} has no setter, and cannot take a related entity. Give it one, which may be private.");
        access.Set(entity, value);
    }

    /// <summary>The collection of an entity, to be filled.</summary>
    public ICollection<TTarget> CollectionOf(object entity)
    {
        object? value = access.Get(entity);
        if (value is null && access.Set is not null)
        {
            access.Set(entity, access.Create!());
            // The field can have another collection, made of that.
            value = access.Get(entity);
        }
        return value is ICollection<TTarget> { IsReadOnly: false } collection
            ? collection
            : throw new InvalidOperationException(
                $"The collection {Name} of {entity.GetType().Name} is {(value is null ? "null, and cannot be set" : "read-only")}, so that nothing can be included in it. Give it an initializer "
                    + "of a list, or a setter, which may be private.");
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

/// <summary>The property that has the entity which a foreign key refers to.</summary>
sealed class PrincipalNavigation<TDependent, TPrincipal>(RelationModel<TDependent, TPrincipal> relation, NavigationAccess<TPrincipal> access)
    : NavigationModel<TPrincipal>(relation, access, isOnDependent: true)
    where TDependent : class
    where TPrincipal : class
{
    public override Task<RelatedEntities<TPrincipal>> FindAsync(
        RelatedSource source, IReadOnlyList<object> batch, RelatedFilter<TPrincipal>? filter, CancellationToken cancellationToken) =>
        relation.FindPrincipalsAsync(source, batch, cancellationToken);
}

/// <summary>The property that has the entities whose foreign keys refer to one.</summary>
sealed class DependentNavigation<TDependent, TPrincipal>(RelationModel<TDependent, TPrincipal> relation, NavigationAccess<TDependent> access)
    : NavigationModel<TDependent>(relation, access, isOnDependent: false)
    where TDependent : class
    where TPrincipal : class
{
    public override Task<RelatedEntities<TDependent>> FindAsync(
        RelatedSource source, IReadOnlyList<object> batch, RelatedFilter<TDependent>? filter, CancellationToken cancellationToken) =>
        relation.FindDependentsAsync(source, batch, filter, cancellationToken);
}
