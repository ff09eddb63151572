using System.Linq.Expressions;

namespace Datacake.Data.Querying.Including;

/// <summary>Relations that a query declares by a foreign key and the model does not have.</summary>
static class UndeclaredRelation
{
    /// <summary>Returns the key property whose value a foreign key holds.</summary>
    /// <exception cref="InvalidOperationException">The key has several properties or a different type.</exception>
    public static PropertyModel KeyFor(EntityModel principal, LambdaExpression foreignKey)
    {
        if (principal.Key is not [var key])
            throw new InvalidOperationException($"The key of {principal.Name} has several properties, so a single property cannot refer to it.");
        var type = foreignKey.Body.Type;
        return (Nullable.GetUnderlyingType(type) ?? type) == key.Type
            ? key
            : throw new InvalidOperationException(
                $"'{foreignKey}' is of type {type.Name}, but the key {key.Name} of {principal.Name}, to which it refers, is of type {key.Type.Name}. "
                + "Give both the same type.");
    }
}
