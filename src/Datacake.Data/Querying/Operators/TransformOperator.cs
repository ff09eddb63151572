namespace Datacake.Data.Querying.Operators;

/// <summary>The results of a query, transformed in memory.</summary>
sealed class TransformOperator<TSource, T>(
    QueryOperator<TSource> source,
    string description,
    Func<IAsyncEnumerable<IReadOnlyList<TSource>>, IAsyncEnumerable<IReadOnlyList<T>>> transform) : QueryOperator<T>
{
    public override QueryOperator<T> With(Func<QuerySettings, QuerySettings> change) => new TransformOperator<TSource, T>(source.With(change), description, transform);

    public override string Explain() => $"{source.Explain()}; {description}";

    public override QuerySource Root => source.Root;

    public override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) =>
        transform(source.RunAsync(cancellationToken));
}
