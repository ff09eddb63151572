using System.Linq.Expressions;

namespace Datacake.Data.Querying.Operators;

/// <summary>Some of the results of a query, in any order, selected in memory.</summary>
/// <param name="source">The query.</param>
/// <param name="description">The description of the operation, for <c>Explain</c>.</param>
/// <param name="transform">Selects the results, from those of the query and their source.</param>
/// <param name="uses">The expressions over an item that the selection uses.</param>
/// <param name="isFilter">True if each result is selected independently of the others.</param>
sealed class SubsetOperator<T>(
    QueryOperator<T> source, string description, Func<IAsyncEnumerable<IReadOnlyList<T>>, QuerySource, IAsyncEnumerable<IReadOnlyList<T>>> transform,
    IReadOnlyList<ItemExpression> uses, bool isFilter) : QueryOperator<T>
{
    public override QueryOperator<T> With(Func<QuerySettings, QuerySettings> change) => With(source.With(change));

    public override QueryOperator<T> ForUse(IReadOnlyList<ItemExpression> further) => With(source.ForUse([.. uses, .. further]));

    public override QueryOperator<T> Unordered() => isFilter ? With(source.Unordered()) : this;

    public override string Explain() => $"{source.Explain()}; {description}";

    public override QuerySource Root => source.Root;

    public override QuerySource? Entities => source.Entities;

    // The order of two conditions makes no difference unless one of them can throw. Before this one, an index may serve the condition.
    public override QueryOperator<T> Where(Expression<Func<T, bool>> predicate) =>
        isFilter && SafeExpression.Is(predicate.Body) ? With(source.Where(predicate)) : base.Where(predicate);

    public override QueryOperator<T> Bounded(T entity, bool isBefore) => isFilter ? With(source.Bounded(entity, isBefore)) : base.Bounded(entity, isBefore);

    public override void RefuseOpaque(LambdaExpression key) => source.RefuseOpaque(key);

    public override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) => NeedsSnapshot(uses.Any(UsesRelated))
        ? OnSnapshotAsync(query => query.RunAsync(cancellationToken), cancellationToken)
        : transform(source.RunAsync(cancellationToken), Root);

    SubsetOperator<T> With(QueryOperator<T> other) => new(other, description, transform, uses, isFilter);
}
