namespace Datacake.Data.Querying.Operators;

/// <summary>Items in memory, to be combined with the results of a query.</summary>
sealed class LocalOperator<T>(IEnumerable<T> items, QuerySource root) : QueryOperator<T>
{
    public override QueryOperator<T> With(Func<QuerySettings, QuerySettings> change) => new LocalOperator<T>(items, root with { Settings = change(root.Settings) });

    public override string Explain() => "local items";

    public override QuerySource Root => root;

    public override async IAsyncEnumerable<IReadOnlyList<T>> RunAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        List<T> all = [.. items];
        if (all.Count > 0)
            yield return all;
    }
}
