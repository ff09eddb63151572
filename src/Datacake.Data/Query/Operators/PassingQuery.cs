using System.Linq.Expressions;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

/// <summary>Some of the results of a query, in any order, chosen in memory.</summary>
/// <param name="source">The query.</param>
/// <param name="description">What is done, for <c>Explain</c>.</param>
/// <param name="transform">Chooses the results, from what the query gives and where that comes from.</param>
/// <param name="uses">What is used of each to choose.</param>
/// <param name="isFilter">True if each is chosen or not whatever the others are.</param>
sealed class PassingQuery<T>(
    Query<T> source, string description, Func<IAsyncEnumerable<IReadOnlyList<T>>, QuerySource, IAsyncEnumerable<IReadOnlyList<T>>> transform,
    IReadOnlyList<ItemUse> uses, bool isFilter) : Query<T>
{
    internal override Query<T> With(Func<QuerySettings, QuerySettings> change) => With(source.With(change));

    internal override ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken) => source.OpenSnapshotAsync(cancellationToken);

    internal override Query<T> ForUse(IReadOnlyList<ItemUse> further) => With(source.ForUse([.. uses, .. further]));

    public override string Explain() => $"{source.Explain()}; {description}";

    internal override QuerySource Root => source.Root;

    // Which of two conditions comes first makes no difference, unless one could throw; before this one an index may serve it.
    internal override Query<T> WhereCore(Expression<Func<T, bool>> predicate) =>
        isFilter && SafeExpression.Is(predicate.Body) ? With(source.WhereCore(predicate)) : base.WhereCore(predicate);

    internal override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) => transform(source.RunAsync(cancellationToken), Root);

    PassingQuery<T> With(Query<T> other) => new(other, description, transform, uses, isFilter);
}
