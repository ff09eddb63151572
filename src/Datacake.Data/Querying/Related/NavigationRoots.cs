using System.Linq.Expressions;

namespace Datacake.Data.Querying.Related;

/// <summary>The positions of entities in the items of a query, from which an expression may use navigations.</summary>
abstract class NavigationRoots
{
    /// <summary>Returns the position whose entity, or entities, an expression over an item returns; null if there is none.</summary>
    public abstract RelatedNode? Find(Expression expression, ParameterExpression item);

    /// <summary>Returns the class of an entity that is anywhere in an item, if the class has the navigation; otherwise null.</summary>
    public abstract EntityModel? FindClass(Type entity, string navigation);
}
