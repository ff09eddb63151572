using System.Linq.Expressions;
using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

/// <summary>Says where in the items of a query there are entities, whose properties with related entities an expression may use.</summary>
abstract class NavigationRoots
{
    /// <summary>Returns the place that an expression over an item has an entity, or several, of; null if it has none.</summary>
    public abstract RelatedNode? Find(Expression expression, ParameterExpression item);

    /// <summary>Returns the class of an entity, which is somewhere in an item, if the class has such a property.</summary>
    public abstract EntityModel? FindClass(Type entity, string navigation);
}
