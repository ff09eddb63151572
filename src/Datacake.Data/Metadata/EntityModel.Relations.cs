using Datacake.Data.Cells;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;

namespace Datacake.Data;

public abstract partial class EntityModel
{
    /// <summary>Gets the navigations, which are the properties that refer to related entities.</summary>
    public IReadOnlyList<NavigationModel> Navigations => field ??= [.. Relations
        .SelectMany(relation => new[]
        {
            relation.Dependents.Entity == this ? relation.Reference : null,
            relation.Principals.Entity == this ? relation.Inverse : null,
        })
        .OfType<NavigationModel>()];

    /// <summary>Gets the relations of the entity class, as the dependent or as the principal.</summary>
    public IReadOnlyList<RelationModel> Relations => field ??= DescribeRelations();

    /// <summary>Returns the navigation with a name; null if there is none.</summary>
    public NavigationModel? FindNavigation(string name)
    {
        foreach (var navigation in Navigations)
        {
            if (navigation.Name == name)
                return navigation;
        }
        return null;
    }

    /// <summary>
    /// Returns the foreign key for a path to the key of a related entity, such as <c>Customer.Id</c>. Returns null if the path leads to
    /// something else, or to one of several key properties.
    /// </summary>
    internal PropertyModel? FindForeignKey(string path) => path.Split('.') is [var name, var keyName]
        && FindNavigation(name) is { IsCollection: false, IsOnDependent: true, Relation.ForeignKey: [var foreignKey] } navigation
        && navigation.TargetModel.Key is [var key] && key.Name == keyName ? foreignKey : null;

    /// <summary>Generates a key as <see cref="GenerateKey(object, KeyGenerator)"/> does. Returns true if the entity had none; a number is only assigned by the save.</summary>
    internal bool GenerateMissingKey(object entity, KeyGenerator keys)
    {
        object? before = Key is [var key] ? key.GetValue(entity) : null;
        if (IsKeyNumbered && Equals(before, UnsetKeyValue))
            return true;
        GenerateKey(entity, keys);
        return Key is [var generated] && !Equals(before, generated.GetValue(entity));
    }

    /// <summary>
    /// Gets the value of a key that was not set, which no stored entity has. When an entity is added, it is replaced by a generated key or
    /// rejected. Null if every value is a valid key. For generated code.
    /// </summary>
    public virtual object? UnsetKeyValue => null;

    /// <summary>Finds the required foreign keys of an entity that were not set, so that they refer to nothing.</summary>
    /// <param name="entity">The entity.</param>
    /// <param name="key">The key of the entity.</param>
    /// <param name="content">The whole content of the entity; null to check all foreign keys.</param>
    /// <param name="original">The content that was read; only changed foreign keys are checked. Null to check all foreign keys.</param>
    /// <param name="errors">Receives the errors.</param>
    /// <param name="isUnnumbered">Returns true for a relation whose foreign key gets a number when the entity is saved; null if there is none.</param>
    internal void ValidateReferences(
        object entity, DocumentKey key, EntityContent? content, EntityContent? original, List<ValidationError> errors, Func<RelationModel, bool>? isUnnumbered = null)
    {
        foreach (var relation in Relations)
        {
            if (relation.Dependents.Entity == this && relation.FindUnset(entity) is { } part && (content is null || original is null || !content.HasSameValue(part.StoredName, original))
                && isUnnumbered?.Invoke(relation) != true)
                errors.Add(new ValidationError(Name, key, part.Name, relation.DescribeUnset(part)));
        }
    }

    /// <summary>True if entities may be added whose key contains a number that only the save assigns: their own, or that of an entity which they refer to.</summary>
    internal bool MayAwaitNumber => IsKeyNumbered || ReferringKeyParts.Count > 0;

    IReadOnlyList<RelationModel> ReferringKeyParts => field ??= [.. Relations.Where(relation => relation.Dependents.Entity == this && relation.IsPartOfKey)];

    /// <summary>Gets the type that every collection of these entities has.</summary>
    internal abstract Type CollectionType { get; }

    /// <summary>Returns the relations. For generated code; called once the models of all classes can be created.</summary>
    protected virtual IReadOnlyList<RelationModel> DescribeRelations() => [];
}
