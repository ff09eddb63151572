using System.Linq.Expressions;

namespace Datacake.Data.Querying.Operators;

/// <summary>The pairs of results of two queries that have the same key, in the order of the first query.</summary>
/// <param name="groups">The results of the first query, each with the matching ones of the second query.</param>
/// <param name="isLeft">
/// True if results of the first query without a match are included, with the default in place of the second item.
/// </param>
/// <param name="orderings">The orderings of the pairs, which are applied to the first query.</param>
sealed class JoinOperator<TOuter, TInner, TKey>(GroupJoinOperator<TOuter, TInner, TKey> groups, bool isLeft, IReadOnlyList<Ordering<Pair<TOuter, TInner>>>? orderings = null)
    : OrderedOperator<Pair<TOuter, TInner>>
{
    public override QueryOperator<Pair<TOuter, TInner>> With(Func<QuerySettings, QuerySettings> change) => With(groups.With(change));

    public override QueryOperator<Pair<TOuter, TInner>> ForUse(IReadOnlyList<ItemExpression> uses) => With(groups.ForUse(uses, UseKind.Element));

    public override string Explain() => groups.Explain(isLeft ? "left join" : "join");

    public override QuerySource Root => groups.Root;

    public override IReadOnlyList<Ordering<Pair<TOuter, TInner>>> Orderings => orderings ?? [];

    public override QueryOperator<Pair<TOuter, TInner>> Where(Expression<Func<Pair<TOuter, TInner>, bool>> predicate)
    {
        var conditions = new SideConditions<Pair<TOuter, TInner>>(predicate);
        var query = With(groups.Where(conditions, isInnerJoin: !isLeft));
        return conditions.Rest is { } rest ? query.WhereInMemory(rest) : query;
    }

    public override OrderedOperator<Pair<TOuter, TInner>> OrderBy(IReadOnlyList<Ordering<Pair<TOuter, TInner>>> by) =>
        groups.OrderOuter(by) is { } ordered ? new JoinOperator<TOuter, TInner, TKey>(ordered, isLeft, by) : base.OrderBy(by);

    public override OrderedOperator<Pair<TOuter, TInner>> ThenBy(Ordering<Pair<TOuter, TInner>> ordering) =>
        OrderBy([.. Orderings, ordering]);

    public override async IAsyncEnumerable<IReadOnlyList<Pair<TOuter, TInner>>> RunAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var batch in groups.RunAsync(cancellationToken).ConfigureAwait(false))
        {
            List<Pair<TOuter, TInner>> pairs =
                [.. batch.SelectMany(group => isLeft ? group.Right.DefaultIfEmpty() : group.Right, (group, inner) => new Pair<TOuter, TInner>(group.Left, inner!))];
            if (pairs.Count > 0)
                yield return pairs;
        }
    }

    JoinOperator<TOuter, TInner, TKey> With(QueryOperator<Pair<TOuter, IEnumerable<TInner>>> other) => new((GroupJoinOperator<TOuter, TInner, TKey>)other, isLeft, orderings);
}
