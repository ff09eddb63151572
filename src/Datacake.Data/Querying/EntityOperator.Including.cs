using System.Linq.Expressions;
using Datacake.Data.Querying.Including;
using Datacake.Data.Querying.Operators;
using Datacake.Data.Querying.Related;

namespace Datacake.Data.Querying;

// Included entities. Operators that use them through the entity itself run after the inclusion. All others run before it, so that no
// entity is loaded in vain.
sealed partial class EntityOperator<T>
{
    public override OrderedOperator<T> Include(Inclusion<T> inclusion) => With(spec with { Inclusions = Inclusion<T>.Merge(spec.Inclusions, inclusion) });

    // The key may use the included entities, so nothing is refused.
    public override void RefuseOpaque(LambdaExpression key)
    {
        if (spec.Inclusions.Count == 0)
            base.RefuseOpaque(key);
    }

    IAsyncEnumerable<IReadOnlyList<T>> Include(IAsyncEnumerable<IReadOnlyList<T>> entities, CancellationToken cancellationToken) =>
        spec.Inclusions.Count == 0 ? entities : Inclusion<T>.LoadAsync(entities, Root, spec.Inclusions, cancellationToken);

    QueryOperator<T> WhereIncluded(Expression<Func<T, bool>> predicate)
    {
        if (predicate.Body is BinaryExpression { NodeType: ExpressionType.AndAlso } both && Part(both.Left) is var left && !UsesIncluded(left))
            return Where(left).Where(Part(both.Right));
        UndeclaredNavigation.Refuse(source.Context.Model, predicate, Included);
        return WhereInMemory(predicate);

        Expression<Func<T, bool>> Part(Expression body) => Expression.Lambda<Func<T, bool>>(body, predicate.Parameters);
    }

    EntityOperator<T> WithoutInclusions() => spec.Inclusions.Count == 0 ? this : With(spec with { Inclusions = [] });

    /// <summary>Gets the names of the properties that are filled.</summary>
    IReadOnlyCollection<string> Included => spec.Inclusions.Count == 0 ? [] : [.. spec.Inclusions.SelectMany(inclusion => inclusion.AllNavigations)];

    bool UsesIncluded(Ordering<T> ordering) => UsesIncluded(ordering.KeySelector);

    bool UsesIncluded(LambdaExpression use) => UsesIncluded(ItemExpression.Of(use));

    // An unmapped property, a method or the entity as a whole may use included entities. Navigations of the model are loaded where they are
    // used.
    bool UsesIncluded(ItemExpression use) => spec.Inclusions.Count > 0 && WholeEntitySearch.IsUsedIn(source.Model, use);
}
