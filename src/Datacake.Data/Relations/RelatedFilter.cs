using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>Says which of the entities that refer to one are included, and in which order.</summary>
/// <param name="Description">What it says, for people.</param>
/// <param name="Conditions">What is true of all of them.</param>
/// <param name="Apply">What is done with those of each entity.</param>
sealed record RelatedFilter<TTarget>(
    string Description, IReadOnlyList<Expression<Func<TTarget, bool>>> Conditions, Func<IEnumerable<TTarget>, IEnumerable<TTarget>> Apply);
