namespace Datacake.Data.Querying.Operators;

/// <summary>The combined results of two queries, which read the same snapshot.</summary>
/// <param name="first">The first query.</param>
/// <param name="second">The second query.</param>
/// <param name="name">The name of the operation, for <c>Explain</c>.</param>
/// <param name="combine">Combines the results, and loads related entities from the source of the run.</param>
sealed class CombineOperator<TFirst, TSecond, T>(
    QueryOperator<TFirst> first, QueryOperator<TSecond> second, string name,
    Func<IAsyncEnumerable<IReadOnlyList<TFirst>>, IAsyncEnumerable<IReadOnlyList<TSecond>>, QuerySource, IAsyncEnumerable<IReadOnlyList<T>>> combine) : QueryOperator<T>
{
    public override QueryOperator<T> With(Func<QuerySettings, QuerySettings> change) => With(first.With(change), second.With(change));

    public override string Explain() => $"{first.Explain()}; {name} ({second.Explain()})";

    public override QuerySource Root => first.Root;

    public override async IAsyncEnumerable<IReadOnlyList<T>> RunAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var own = await first.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        // An entity that both queries find is one item, even if the context does not track it.
        var run = new RunIdentities(usesTracked: false);
        var (left, right) = (first.Identifying(run), second.Identifying(run));
        if (own is not null)
            (left, right) = (left.At(own), right.At(own));
        await foreach (var batch in combine(left.RunAsync(cancellationToken), right.RunAsync(cancellationToken), left.Root).ConfigureAwait(false))
            yield return batch;
    }

    CombineOperator<TFirst, TSecond, T> With(QueryOperator<TFirst> otherFirst, QueryOperator<TSecond> otherSecond) => new(otherFirst, otherSecond, name, combine);
}
