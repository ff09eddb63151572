using System.Linq.Expressions;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying.Operators;

/// <summary>Some of the results of a query, in any order, selected in memory.</summary>
/// <param name="source">The query.</param>
/// <param name="description">The description of the operation, for <c>Explain</c>.</param>
/// <param name="transform">Selects the results, from those of the query and their source.</param>
/// <param name="uses">The expressions over an item that the selection uses.</param>
/// <param name="isFilter">True if each result is selected independently of the others.</param>
sealed class SelectedQuery<T>(
    Query<T> source, string description, Func<IAsyncEnumerable<IReadOnlyList<T>>, QuerySource, IAsyncEnumerable<IReadOnlyList<T>>> transform,
    IReadOnlyList<ItemExpression> uses, bool isFilter) : Query<T>
{
    internal override Query<T> With(Func<QuerySettings, QuerySettings> change) => With(source.With(change));

    internal override ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken) => source.OpenSnapshotAsync(cancellationToken);

    internal override Query<T> ForUse(IReadOnlyList<ItemExpression> further) => With(source.ForUse([.. uses, .. further]));

    public override string Explain() => $"{source.Explain()}; {description}";

    internal override QuerySource Root => source.Root;

    // The order of two conditions makes no difference unless one of them can throw. Before this one, an index may serve the condition.
    internal override Query<T> WhereCore(Expression<Func<T, bool>> predicate) =>
        isFilter && SafeExpression.Is(predicate.Body) ? With(source.WhereCore(predicate)) : base.WhereCore(predicate);

    internal override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) => transform(source.RunAsync(cancellationToken), Root);

    SelectedQuery<T> With(Query<T> other) => new(other, description, transform, uses, isFilter);
}
