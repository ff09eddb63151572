using System.Linq.Expressions;

namespace Datacake.Data.Querying.Operators;

/// <summary>
/// The results of a query, each paired with every result of another query, which does not depend on the first and is read once.
/// </summary>
sealed class CrossOperator<T, TInner>(QueryOperator<T> outer, QueryOperator<TInner> inner) : QueryOperator<Pair<T, TInner>>
{
    public override QueryOperator<Pair<T, TInner>> With(Func<QuerySettings, QuerySettings> change) => With(outer.With(change), inner.With(change));

    public override QueryOperator<Pair<T, TInner>> ForUse(IReadOnlyList<ItemExpression> uses) => With(
        outer.ForUse(ElementAnalysis.Of(uses, Pair.UseOfLeft) ?? [ItemExpression.Whole<T>()]),
        inner.ForUse(ElementAnalysis.Of(uses, Pair.UseOfRight) ?? [ItemExpression.Whole<TInner>()]));

    public override string Explain() => $"{outer.Explain()}; each with ({inner.Explain()})";

    public override QuerySource Root => outer.Root;

    public override QueryOperator<Pair<T, TInner>> Where(Expression<Func<Pair<T, TInner>, bool>> predicate)
    {
        var conditions = new SideConditions<Pair<T, TInner>>(predicate);
        var query = With(conditions.Push(outer, Pair.IsLeft), conditions.Push(inner, Pair.IsRight));
        return conditions.Rest is { } rest ? query.WhereInMemory(rest) : query;
    }

    public override async IAsyncEnumerable<IReadOnlyList<Pair<T, TInner>>> RunAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (left, right) = (outer, inner);
        using var own = await outer.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        if (own is not null)
            (left, right) = (outer.At(own), inner.At(own));
        List<TInner>? all = null;
        await foreach (var batch in left.RunAsync(cancellationToken).ConfigureAwait(false))
        {
            all ??= await right.ToListAsync(cancellationToken).ConfigureAwait(false);
            if (all.Count == 0)
                yield break;
            foreach (var item in batch)
                yield return all.ConvertAll(other => new Pair<T, TInner>(item, other));
        }
    }

    static CrossOperator<T, TInner> With(QueryOperator<T> otherOuter, QueryOperator<TInner> otherInner) => new(otherOuter, otherInner);
}
