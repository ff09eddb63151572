using System.Linq.Expressions;
using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

/// <summary>Relations that a query names with a foreign key, and the model does not have.</summary>
static class UndeclaredRelation
{
    /// <summary>The property that is the key of a class, which a foreign key holds the value of.</summary>
    /// <exception cref="InvalidOperationException">The key has several properties, or another type.</exception>
    public static PropertyModel KeyFor(EntityModel principal, LambdaExpression foreignKey)
    {
        if (principal.Key is not [var key])
            throw new InvalidOperationException($"The key of {principal.Name} has several properties, and a single one cannot refer to it.");
        var type = foreignKey.Body.Type;
        return (Nullable.GetUnderlyingType(type) ?? type) == key.Type
            ? key
            : throw new InvalidOperationException(
                $"'{foreignKey}' is of type {type.Name}, and the key {key.Name} of {principal.Name}, which it refers to, of type {key.Type.Name}. "
                + "Give both the same type.");
    }
}
