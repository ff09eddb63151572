using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>
/// A relation between two entity classes. The foreign key of the dependent class holds the key of the principal class.
/// </summary>
public abstract class RelationModel
{
    private protected RelationModel(KeyspaceModel dependents, KeyspaceModel principals, IReadOnlyList<PropertyModel> foreignKey, DeleteBehavior deleteBehavior)
    {
        Dependents = dependents;
        Principals = principals;
        ForeignKey = foreignKey;
        DeleteBehavior = deleteBehavior;
    }

    /// <summary>Gets the keyspace of the dependents, which have the foreign key.</summary>
    public KeyspaceModel Dependents { get; }

    /// <summary>Gets the keyspace of the principals, which the foreign key refers to.</summary>
    public KeyspaceModel Principals { get; }

    /// <summary>Gets the properties of the foreign key, in the order of the principal's key.</summary>
    public IReadOnlyList<PropertyModel> ForeignKey { get; }

    /// <summary>Gets the action that a save takes on the dependents of a deleted principal.</summary>
    public DeleteBehavior DeleteBehavior { get; }

    /// <summary>Gets the navigation from a dependent to its principal; null if there is none.</summary>
    public abstract NavigationModel? Reference { get; }

    /// <summary>Gets the navigation from a principal to its dependents; null if there is none.</summary>
    public abstract NavigationModel? Inverse { get; }

    /// <summary>True if a dependent requires a principal.</summary>
    public bool IsRequired { get; init; }

    /// <summary>True if each principal has at most one dependent.</summary>
    public bool IsUnique { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Dependents.Entity.Name}.{string.Join(", ", ForeignKey.Select(part => part.Name))} to {Principals.Entity.Name}";

    /// <summary>True if the foreign key is part of the dependent's key, so that it cannot change.</summary>
    internal bool IsPartOfKey => ForeignKey.Any(part => part.Kind == PropertyKind.Key);

    /// <summary>Returns the key of the principal that a dependent refers to; null if it refers to none.</summary>
    internal DocumentKey? PrincipalKeyOf(object dependent)
    {
        var values = new object?[ForeignKey.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = ForeignKey[i].GetValue(dependent);
        return Principals.Entity.FindKey(values);
    }

    /// <summary>Returns the key of a principal; null if it has none yet.</summary>
    internal DocumentKey? KeyOf(object principal) => Principals.Entity.FindKey(KeyValuesOf(principal));

    /// <summary>Makes a dependent refer to a principal. Returns true if it did not before.</summary>
    internal bool Refer(object dependent, object principal)
    {
        if (KeyOf(principal) is { } key && PrincipalKeyOf(dependent) == key)
            return false;
        var values = KeyValuesOf(principal);
        for (int i = 0; i < values.Length; i++)
            Set(ForeignKey[i], dependent, values[i]);
        return true;
    }

    /// <summary>Makes a dependent refer to no principal.</summary>
    internal void Clear(object dependent)
    {
        foreach (var part in ForeignKey.Where(part => part.IsNullable && part.Kind != PropertyKind.Key))
            Set(part, dependent, null);
    }

    /// <summary>
    /// Returns the foreign key property that is required and was not set, so that it refers to nothing; null if there is none.
    /// </summary>
    internal PropertyModel? FindUnset(object dependent) =>
        ForeignKey is [{ IsNullable: false } part] && Principals.Entity.UnsetKeyValue is { } unset && unset.Equals(part.GetValue(dependent)) ? part : null;

    /// <summary>Describes the problem of a foreign key that was not set, phrased to follow its name.</summary>
    internal string DescribeUnset(PropertyModel part) =>
        $"refers to no {Principals.Entity.Name}. Set {(Reference is null ? "" : $"{Reference.Name} or ")}{part.Name}, or make {part.Name} nullable";

    /// <summary>Returns the exception to throw when the relation restricts a delete.</summary>
    /// <param name="principal">The key of the entity to be deleted.</param>
    /// <param name="dependent">The key of an entity that refers to it.</param>
    /// <param name="orphanOf">The relation whose required principal the entity has lost, if it is to be deleted for that.</param>
    internal InvalidOperationException RestrictedDelete(DocumentKey? principal, DocumentKey dependent, RelationModel? orphanOf = null)
    {
        string name = $"The {Principals.Entity.Name} {principal}", foreignKey = string.Join(", ", ForeignKey.Select(part => part.Name));
        string orphaned = orphanOf is null ? ""
            : $"{name} has lost its {orphanOf.Principals.Entity.Name} and is deleted for that, because {string.Join(", ", orphanOf.ForeignKey.Select(part => part.Name))} cannot be null. ";
        return new InvalidOperationException(
            $"{orphaned}{name} cannot be deleted, because the {Dependents.Entity.Name} {dependent} refers to it by {foreignKey}. Remove that entity as well, change its "
                + $"{foreignKey}, or configure OnDelete(DeleteBehavior.Cascade) to have it deleted.");
    }

    /// <summary>Returns the values of the key of a principal, in the order of the foreign key.</summary>
    internal object?[] KeyValuesOf(object principal)
    {
        var key = Principals.Entity.Key;
        var values = new object?[key.Count];
        for (int i = 0; i < values.Length; i++)
            values[i] = key[i].GetValue(principal);
        return values;
    }

    void Set(PropertyModel part, object dependent, object? value)
    {
        if (part.Setter is not { } set)
        {
            throw new InvalidOperationException(
                $"The foreign key {part.Name} of {Dependents.Entity.Name} cannot be set to the key of the {Principals.Entity.Name}, because it has no setter. Add a setter, which may be private.");
        }
        set(dependent, value);
    }
}
