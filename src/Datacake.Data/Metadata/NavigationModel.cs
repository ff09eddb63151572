namespace Datacake.Data;

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
}
