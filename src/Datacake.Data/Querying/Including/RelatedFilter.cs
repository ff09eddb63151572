using System.Linq.Expressions;

namespace Datacake.Data.Querying.Including;

/// <summary>The filter and order of the entities in an included collection.</summary>
/// <param name="Description">The description in query plans.</param>
/// <param name="Conditions">The conditions that all included entities satisfy.</param>
/// <param name="Apply">The operators that are applied to the related entities of each entity.</param>
sealed record RelatedFilter<TTarget>(
    string Description, IReadOnlyList<Expression<Func<TTarget, bool>>> Conditions, Func<IEnumerable<TTarget>, IEnumerable<TTarget>> Apply);
