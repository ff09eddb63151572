using System.Linq.Expressions;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Operators;

/// <summary>
/// The results of a query, each paired with every result of an inner query, which is created and run for each outer result.
/// </summary>
/// <param name="outer">The outer query.</param>
/// <param name="innerOf">Creates the inner query.</param>
/// <param name="changed">Changes the settings of the inner query.</param>
/// <param name="innerUses">The expressions over an inner result that are used; null if the whole result may be used.</param>
sealed class CorrelatedOperator<T, TInner>(
    QueryOperator<T> outer, Expression<Func<T, Query<TInner>>> innerOf, Func<QuerySettings, QuerySettings> changed, IReadOnlyList<ItemExpression>? innerUses = null)
    : QueryOperator<Pair<T, TInner>>
{
    public override QueryOperator<Pair<T, TInner>> With(Func<QuerySettings, QuerySettings> change) =>
        new CorrelatedOperator<T, TInner>(outer.With(change), innerOf, settings => change(changed(settings)), innerUses);

    public override QueryOperator<Pair<T, TInner>> ForUse(IReadOnlyList<ItemExpression> uses)
    {
        var ofOuter = ElementAnalysis.Of(uses, Pair.UseOfLeft);
        var ofInner = ElementAnalysis.Of(uses, Pair.UseOfRight);
        return new CorrelatedOperator<T, TInner>(outer.ForUse([ItemExpression.Of(innerOf), .. ofOuter ?? [ItemExpression.Whole<T>()]]), innerOf, changed, ofInner);
    }

    public override string Explain() => $"{outer.Explain()}; each with a query of its own: {ExpressionText.Of(innerOf.Body)}";

    public override QuerySource Root => outer.Root;

    public override QueryOperator<Pair<T, TInner>> Where(Expression<Func<Pair<T, TInner>, bool>> predicate)
    {
        var conditions = new SideConditions<Pair<T, TInner>>(predicate);
        var query = new CorrelatedOperator<T, TInner>(conditions.Push(outer, Pair.IsLeft), innerOf, changed, innerUses);
        return conditions.Rest is { } rest ? query.WhereInMemory(rest) : query;
    }

    public override async IAsyncEnumerable<IReadOnlyList<Pair<T, TInner>>> RunAsync(
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var own = await outer.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var made = Expressions.Compile(innerOf);
        await foreach (var batch in (own is null ? outer : outer.At(own)).RunAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (var item in batch)
            {
                var inner = made(item).Operator.With(changed);
                if (own is not null)
                    inner = inner.At(own);
                if (innerUses is not null)
                    inner = inner.ForUse(innerUses);
                await foreach (var found in inner.RunAsync(cancellationToken).ConfigureAwait(false))
                    yield return [.. found.Select(other => new Pair<T, TInner>(item, other))];
            }
        }
    }
}
