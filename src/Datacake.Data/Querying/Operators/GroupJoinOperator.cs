using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Operators;

/// <summary>
/// The results of a query, each with those of another query that have the same key. If the other query has a key or an index for this key,
/// its results are looked up by the keys of a batch, each key once. Otherwise all of them are read once.
/// </summary>
sealed class GroupJoinOperator<TOuter, TInner, TKey>(
    QueryOperator<TOuter> outer, QueryOperator<TInner> inner, Expression<Func<TOuter, TKey>> outerKey, Expression<Func<TInner, TKey>> innerKey,
    IReadOnlyList<Ordering<Pair<TOuter, IEnumerable<TInner>>>>? orderings = null)
    : OrderedOperator<Pair<TOuter, IEnumerable<TInner>>>
{
    public override QueryOperator<Pair<TOuter, IEnumerable<TInner>>> With(Func<QuerySettings, QuerySettings> change) => With(outer.With(change), inner.With(change));

    public override QueryOperator<Pair<TOuter, IEnumerable<TInner>>> ForUse(IReadOnlyList<ItemExpression> uses) => ForUse(uses, UseKind.Sequence);

    /// <inheritdoc cref="ForUse(IReadOnlyList{ItemExpression})"/>
    /// <param name="uses">The expressions over a pair.</param>
    /// <param name="right">The role of the right side of a pair in the expressions.</param>
    public GroupJoinOperator<TOuter, TInner, TKey> ForUse(IReadOnlyList<ItemExpression> uses, UseKind right)
    {
        var ofOuter = ElementAnalysis.Of(uses, Pair.UseOfLeft);
        var ofInner = ElementAnalysis.Of(uses, (node, pair) => Pair.UseOfRight(node, pair) is UseKind.Element ? right : Pair.UseOfRight(node, pair));
        return With(
            outer.ForUse([ItemExpression.Of(outerKey), .. ofOuter ?? [ItemExpression.Whole<TOuter>()]]),
            inner.ForUse([ItemExpression.Of(innerKey), .. ofInner ?? [ItemExpression.Whole<TInner>()]]));
    }

    public override string Explain() => Explain("group join");

    public string Explain(string how) =>
        $"{outer.Explain()}; {how} ({inner.Explain()}) on {ExpressionText.Of(outerKey.Body)} = {ExpressionText.Of(innerKey.Body)}";

    public override QuerySource Root => outer.Root;

    public override IReadOnlyList<Ordering<Pair<TOuter, IEnumerable<TInner>>>> Orderings => orderings ?? [];

    public override QueryOperator<Pair<TOuter, IEnumerable<TInner>>> Where(Expression<Func<Pair<TOuter, IEnumerable<TInner>>, bool>> predicate)
    {
        var conditions = new SideConditions<Pair<TOuter, IEnumerable<TInner>>>(predicate);
        var query = With(conditions.Push(outer, Pair.IsLeft), inner);
        return conditions.Rest is { } rest ? query.WhereInMemory(rest) : query;
    }

    public override OrderedOperator<Pair<TOuter, IEnumerable<TInner>>> OrderBy(IReadOnlyList<Ordering<Pair<TOuter, IEnumerable<TInner>>>> by) =>
        OrderOuter(by) is { } ordered ? ordered.With(by) : base.OrderBy(by);

    public override OrderedOperator<Pair<TOuter, IEnumerable<TInner>>> ThenBy(Ordering<Pair<TOuter, IEnumerable<TInner>>> ordering) =>
        OrderBy([.. Orderings, ordering]);

    /// <summary>
    /// Returns the join with the outer results in another order; null if the order does not depend on the outer results alone.
    /// </summary>
    public GroupJoinOperator<TOuter, TInner, TKey>? OrderOuter<TPair>(IReadOnlyList<Ordering<TPair>> by)
    {
        var ofOuter = by.Select(ordering => ordering.Through<TOuter>(use =>
            Pair.Side<TOuter>(use, Pair.IsLeft) is { } left && SafeExpression.Is(left.Body) ? left : null)).ToList();
        return ofOuter.Contains(null) ? null : With(outer.OrderBy([.. ofOuter.OfType<Ordering<TOuter>>()]), inner);
    }

    public GroupJoinOperator<TOuter, TInner, TKey> With(QueryOperator<TOuter> otherOuter, QueryOperator<TInner> otherInner) => new(otherOuter, otherInner, outerKey, innerKey, orderings);

    GroupJoinOperator<TOuter, TInner, TKey> With(IReadOnlyList<Ordering<Pair<TOuter, IEnumerable<TInner>>>> by) => new(outer, inner, outerKey, innerKey, by);

    /// <summary>
    /// Returns the join with the conditions on one side moved to that side. The caller applies the conditions that are left.
    /// </summary>
    public GroupJoinOperator<TOuter, TInner, TKey> Where<TPair>(SideConditions<TPair> conditions, bool isInnerJoin) =>
        With(conditions.Push(outer, Pair.IsLeft), isInnerJoin ? conditions.Push(inner, Pair.IsRight) : inner);

    public override async IAsyncEnumerable<IReadOnlyList<Pair<TOuter, IEnumerable<TInner>>>> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (left, right) = (outer, inner);
        using var own = await outer.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        if (own is not null)
            (left, right) = (outer.At(own), inner.At(own));
        var matches = new KeyedItems<TKey, TInner>();
        bool? isLookup = null;
        await foreach (var batch in left.RunKeyedAsync(outerKey, cancellationToken).ConfigureAwait(false))
        {
            if (isLookup is null)
            {
                isLookup = right.CanLookUp(ItemExpression.Of(innerKey));
                if (isLookup is false)
                    await ReadAsync(right).ConfigureAwait(false);
            }
            if (isLookup is true)
            {
                List<TKey> keys = [.. batch.Select(item => item.Key).Where(key => key is not null && matches.TryAddKey(key))];
                if (keys.Count > 0)
                    await ReadAsync(right.Where(IsAmong(keys))).ConfigureAwait(false);
            }
            yield return [.. batch.Select(item => new Pair<TOuter, IEnumerable<TInner>>(item.Item, matches[item.Key]))];
        }

        async Task ReadAsync(QueryOperator<TInner> query)
        {
            await foreach (var batch in query.RunKeyedAsync(innerKey, cancellationToken).ConfigureAwait(false))
            {
                foreach (var (key, item) in batch)
                    matches.Add(key, item);
            }
        }
    }

    Expression<Func<TInner, bool>> IsAmong(List<TKey> keys)
    {
        Expression<Func<TKey, bool>> isAmong = key => keys.Contains(key);
        return Expression.Lambda<Func<TInner, bool>>(ItemExpression.Of(isAmong).With(innerKey.Body), innerKey.Parameters);
    }
}
