using System.Linq.Expressions;
using Datacake.Data.Querying.Analysis;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying.Operators;

/// <summary>
/// The projected results of a query. The operators that follow are applied to the source where this is equivalent, so that an index can
/// serve them.
/// </summary>
sealed class ProjectedQuery<TSource, T>(Query<TSource> source, Expression<Func<TSource, T>> selector, IReadOnlyList<Ordering<T>>? orderings = null) : OrderedQuery<T>
{
    internal override Query<T> With(Func<QuerySettings, QuerySettings> change) => With(source.With(change));

    internal override ValueTask<StoreSnapshot?> OpenSnapshotAsync(CancellationToken cancellationToken) => source.OpenSnapshotAsync(cancellationToken);

    internal override Query<T> ForUse(IReadOnlyList<ItemExpression> uses) => With(source.ForUse(Projection.UsesOfSource(uses, selector)));

    public override string Explain() => $"{source.Explain()}; select {ExpressionText.Of(selector)}";

    internal override QuerySource Root => source.Root;

    internal override IReadOnlyList<Ordering<T>> Orderings => orderings ?? [];

    internal override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) =>
        Batches.Select(source.ForUse([ItemExpression.Of(selector)]).RunAsync(cancellationToken), Expressions.Compile(selector));

    internal override Query<T> WhereCore(Expression<Func<T, bool>> predicate) =>
        Through(ItemExpression.Of(predicate)) is { } use ? With(source.WhereCore(use.ToLambda<TSource, bool>())) : base.WhereCore(predicate);

    internal override Query<TResult> SelectCore<TResult>(Expression<Func<T, TResult>> next) =>
        Through(ItemExpression.Of(next)) is { } use ? source.SelectCore(use.ToLambda<TSource, TResult>()) : base.SelectCore(next);

    internal override OrderedQuery<T> OrderByCore(IReadOnlyList<Ordering<T>> by)
    {
        var through = by.Select(ordering => ordering.Through<TSource>(Through)).ToList();
        return through.Contains(null)
            ? base.OrderByCore(by)
            : new ProjectedQuery<TSource, T>(source.OrderByCore([.. through.OfType<Ordering<TSource>>()]), selector, by);
    }

    internal override OrderedQuery<T> ThenByCore(Ordering<T> ordering) =>
        source is OrderedQuery<TSource> ordered && ordering.Through<TSource>(Through) is { } through
            ? new ProjectedQuery<TSource, T>(ordered.ThenByCore(through), selector, [.. Orderings, ordering])
            : base.OrderByCore([.. Orderings, ordering]);

    internal override bool CanLookUp(ItemExpression key) => Through(key) is { } use && source.CanLookUp(use);

    internal override Query<T> SkipCore(int count) => With(source.SkipCore(count));

    internal override Query<T> TakeCore(int count) => With(source.TakeCore(count));

    internal override Query<T> ReverseCore() => With(source.ReverseCore());

    internal override Task<bool> AnyCore(CancellationToken cancellationToken) => source.AnyCore(cancellationToken);

    internal override ValueTask<long> CountCoreAsync(CancellationToken cancellationToken) =>
        SafeExpression.Is(selector.Body) ? source.CountCoreAsync(cancellationToken) : base.CountCoreAsync(cancellationToken);

    internal override Task<TResult?> ExtremeCore<TResult>(
        Expression<Func<T, TResult>> value, bool isGreatest, CancellationToken cancellationToken)
        where TResult : default => Through(ItemExpression.Of(value)) is { } use
            ? source.ExtremeCore(use.ToLambda<TSource, TResult>(), isGreatest, cancellationToken)
            : base.ExtremeCore(value, isGreatest, cancellationToken);

    ItemExpression? Through(ItemExpression use) => Projection.Through(use, selector);

    ProjectedQuery<TSource, T> With(Query<TSource> other) => new(other, selector, orderings);
}
