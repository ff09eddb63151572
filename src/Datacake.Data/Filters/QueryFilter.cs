using System.Linq.Expressions;

namespace Datacake.Data;

/// <summary>A condition that is part of every query for the entities of a class.</summary>
/// <param name="Name">The name to leave it out by; null if it has none.</param>
/// <param name="Condition">The condition.</param>
sealed record QueryFilter(string? Name, LambdaExpression Condition);
