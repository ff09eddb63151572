namespace Datacake.Data.Querying;

/// <summary>The results of a query, sorted in memory.</summary>
sealed class SortedQuery<T>(Query<T> source, IReadOnlyList<Ordering<T>> orderings) : OrderedQuery<T>
{
    public override Query<T> AsNoTracking() => new SortedQuery<T>(source.AsNoTracking(), orderings);

    internal override Query<T> Resolving(RunIdentities run) => new SortedQuery<T>(source.Resolving(run), orderings);

    public override string Explain() => $"{source.Explain()}; order by {string.Join(", ", orderings)} in memory";

    internal override CompiledExpressions Expressions => source.Expressions;

    internal override IReadOnlyList<Ordering<T>> Orderings => orderings;

    internal override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) =>
        Batches.Sort(source.RunAsync(cancellationToken), orderings);

    internal override OrderedQuery<T> ThenByCore(Ordering<T> ordering) => new SortedQuery<T>(source, [.. orderings, ordering]);
}
