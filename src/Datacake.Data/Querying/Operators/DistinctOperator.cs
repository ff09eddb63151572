namespace Datacake.Data.Querying.Operators;

/// <summary>The distinct results of a query: the first of those that are equal.</summary>
sealed class DistinctOperator<T>(QueryOperator<T> all) : QueryOperator<T>
{
    /// <summary>Gets the operator whose results may be equal.</summary>
    public QueryOperator<T> All => all;

    public override QueryOperator<T> With(Func<QuerySettings, QuerySettings> change) => new DistinctOperator<T>(all.With(change));

    public override string Explain() => $"{all.Explain()}; distinct";

    public override QuerySource Root => all.Root;

    public override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) => Batches.Distinct(all.ForDistinct().RunAsync(cancellationToken));
}
