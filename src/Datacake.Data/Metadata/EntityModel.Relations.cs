using Datacake.EventualConsistency;

namespace Datacake.Data.Metadata;

public abstract partial class EntityModel
{
    /// <summary>Gets the properties that have related entities.</summary>
    public IReadOnlyList<NavigationModel> Navigations => field ??= [.. Relations
        .SelectMany(relation => new[]
        {
            relation.Dependents.Entity == this ? relation.Reference : null,
            relation.Principals.Entity == this ? relation.Inverse : null,
        })
        .OfType<NavigationModel>()];

    /// <summary>Gets the relations that the entities take part in, on either side.</summary>
    public IReadOnlyList<RelationModel> Relations => field ??= DescribeRelations();

    /// <summary>Returns the property with related entities that has this name, or null if there is none.</summary>
    public NavigationModel? FindNavigation(string name)
    {
        foreach (var navigation in Navigations)
        {
            if (navigation.Name == name)
                return navigation;
        }
        return null;
    }

    /// <summary>Returns the foreign key that is the key of a related entity, such as <c>Customer.Id</c>; null if a path names something else, or a part of a key.</summary>
    internal PropertyModel? FindForeignKey(string path) => path.Split('.') is [var name, var keyName]
        && FindNavigation(name) is { IsCollection: false, IsOnDependent: true, Relation.ForeignKey: [var foreignKey] } navigation
        && navigation.TargetModel.Key is [var key] && key.Name == keyName ? foreignKey : null;

    /// <summary>Gives an entity a key as <see cref="GenerateKey(object, KeyGenerator)"/> does. Returns true if it had none.</summary>
    internal bool GenerateMissingKey(object entity, KeyGenerator keys)
    {
        object? before = Key is [var key] ? key.GetValue(entity) : null;
        GenerateKey(entity, keys);
        return Key is [var generated] && !Equals(before, generated.GetValue(entity));
    }

    /// <summary>
    /// Gets the value of a key that was not set, and that no stored entity has: it is replaced by a generated one, or refused, when an entity is added. Null if every value is a key. For
    /// generated code.
    /// </summary>
    public virtual object? UnsetKeyValue => null;

    /// <summary>Finds the required foreign keys of an entity that refer to nothing, since they were not set.</summary>
    /// <param name="entity">The entity.</param>
    /// <param name="key">Its key.</param>
    /// <param name="content">All of it, if it was stored before.</param>
    /// <param name="original">What it was then; null if all of it is written.</param>
    /// <param name="errors">Takes what is wrong.</param>
    internal void ValidateReferences(object entity, DocumentKey key, EntityContent? content, EntityContent? original, List<ValidationError> errors)
    {
        foreach (var relation in Relations)
        {
            if (relation.Dependents.Entity == this && relation.FindUnset(entity) is { } part && (content is null || original is null || !content.HasSame(part.StoredName, original)))
                errors.Add(new ValidationError(Name, key, part.Name, relation.DescribeUnset(part)));
        }
    }

    /// <summary>The type of what has several entities.</summary>
    internal abstract Type CollectionType { get; }

    /// <summary>Returns the relations. For generated code; asked once the models of all classes can be made.</summary>
    protected virtual IReadOnlyList<RelationModel> DescribeRelations() => [];
}
