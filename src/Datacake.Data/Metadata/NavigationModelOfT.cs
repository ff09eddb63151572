using Datacake.Data.CodeGeneration;

namespace Datacake.Data.Metadata;

/// <summary>A navigation to entities of one class.</summary>
sealed class NavigationModel<TTarget>(RelationModel relation, NavigationAccess<TTarget> access, bool isOnDependent)
    : NavigationModel(relation, access.Name, typeof(TTarget), access.Create is not null, isOnDependent)
    where TTarget : class
{
    public Func<ICollection<TTarget>>? Create => access.Create;

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

    /// <summary>
    /// Assigns related entities to the property of an entity that is not tracked, and the entity to their inverse references.
    /// </summary>
    public void Assign(object entity, IReadOnlyList<TTarget> related)
    {
        if (IsCollection)
            Fill(CollectionOf(entity), related);
        else if (related is [var target, ..] ? !ReferenceEquals(ReferenceOf(entity), target) : ReferenceOf(entity) is not null)
            SetReference(entity, related.Count > 0 ? related[0] : null);
        if (Inverse is not { IsCollection: false } inverse)
            return;
        foreach (var each in related)
        {
            if (!ReferenceEquals(inverse.TargetOf(each), entity))
                inverse.Add(each, entity);
        }
    }

    /// <summary>Replaces the content of a collection.</summary>
    public static void Fill(ICollection<TTarget> collection, IReadOnlyList<TTarget> related)
    {
        collection.Clear();
        foreach (var target in related)
            collection.Add(target);
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
}
