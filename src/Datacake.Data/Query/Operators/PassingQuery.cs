using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

/// <summary>Some of the results of a query, in any order, chosen in memory.</summary>
/// <param name="source">The query.</param>
/// <param name="description">What is done, for <c>Explain</c>.</param>
/// <param name="transform">Chooses the results.</param>
/// <param name="uses">What is used of each to choose.</param>
sealed class PassingQuery<T>(
    Query<T> source, string description, Func<IAsyncEnumerable<IReadOnlyList<T>>, IAsyncEnumerable<IReadOnlyList<T>>> transform, IReadOnlyList<ItemUse> uses)
    : Query<T>
{
    internal override Query<T> With(Func<QuerySettings, QuerySettings> change) => With(source.With(change));

    internal override ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken) => source.OpenSnapshotAsync(cancellationToken);

    internal override Query<T> ForUse(IReadOnlyList<ItemUse> further) => With(source.ForUse([.. uses, .. further]));

    public override string Explain() => $"{source.Explain()}; {description}";

    internal override CompiledExpressions Expressions => source.Expressions;

    internal override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) => transform(source.RunAsync(cancellationToken));

    PassingQuery<T> With(Query<T> other) => new(other, description, transform, uses);
}
