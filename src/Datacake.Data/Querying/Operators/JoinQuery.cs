using System.Linq.Expressions;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying.Operators;

/// <summary>The pairs of results of two queries that have the same key, in the order of the first query.</summary>
/// <param name="groups">The results of the first query, each with the matching ones of the second query.</param>
/// <param name="isLeft">
/// True if results of the first query without a match are included, with the default in place of the second item.
/// </param>
/// <param name="orderings">The orderings of the pairs, which are applied to the first query.</param>
sealed class JoinQuery<TOuter, TInner, TKey>(GroupJoinQuery<TOuter, TInner, TKey> groups, bool isLeft, IReadOnlyList<Ordering<Pair<TOuter, TInner>>>? orderings = null)
    : OrderedQuery<Pair<TOuter, TInner>>
{
    internal override Query<Pair<TOuter, TInner>> With(Func<QuerySettings, QuerySettings> change) => With(groups.With(change));

    internal override ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken) => groups.OpenSnapshotAsync(cancellationToken);

    internal override Query<Pair<TOuter, TInner>> ForUse(IReadOnlyList<ItemExpression> uses) => With(groups.ForUse(uses, UseKind.Element));

    public override string Explain() => groups.Explain(isLeft ? "left join" : "join");

    internal override QuerySource Root => groups.Root;

    internal override IReadOnlyList<Ordering<Pair<TOuter, TInner>>> Orderings => orderings ?? [];

    internal override Query<Pair<TOuter, TInner>> WhereCore(Expression<Func<Pair<TOuter, TInner>, bool>> predicate)
    {
        var conditions = new SideConditions<Pair<TOuter, TInner>>(predicate);
        var query = With(groups.Where(conditions, isInnerJoin: !isLeft));
        return conditions.Rest is { } rest ? query.WhereInMemory(rest) : query;
    }

    internal override OrderedQuery<Pair<TOuter, TInner>> OrderByCore(IReadOnlyList<Ordering<Pair<TOuter, TInner>>> by) =>
        groups.OrderOuter(by) is { } ordered ? new JoinQuery<TOuter, TInner, TKey>(ordered, isLeft, by) : base.OrderByCore(by);

    internal override OrderedQuery<Pair<TOuter, TInner>> ThenByCore(Ordering<Pair<TOuter, TInner>> ordering) =>
        OrderByCore([.. Orderings, ordering]);

    internal override async IAsyncEnumerable<IReadOnlyList<Pair<TOuter, TInner>>> RunAsync(
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

    JoinQuery<TOuter, TInner, TKey> With(Query<Pair<TOuter, IEnumerable<TInner>>> other) => new((GroupJoinQuery<TOuter, TInner, TKey>)other, isLeft, orderings);
}
