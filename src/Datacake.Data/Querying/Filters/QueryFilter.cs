using System.Linq.Expressions;

namespace Datacake.Data.Querying.Filters;

/// <summary>A condition that applies to every query for the entities of a class.</summary>
/// <param name="Name">The name by which a query can ignore the filter; null if it has none.</param>
/// <param name="Condition">The condition.</param>
sealed record QueryFilter(string? Name, LambdaExpression Condition);
