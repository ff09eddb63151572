using System.Linq.Expressions;
using Datacake.Data.Querying.Analysis;

namespace Datacake.Data.Querying.Operators;

/// <summary>
/// The projected results of a query. The operators that follow are applied to the source where this is equivalent, so that an index can
/// serve them.
/// </summary>
sealed class ProjectOperator<TSource, T>(QueryOperator<TSource> source, Expression<Func<TSource, T>> selector, IReadOnlyList<Ordering<T>>? orderings = null) : OrderedOperator<T>
{
    public override QueryOperator<T> With(Func<QuerySettings, QuerySettings> change) => With(source.With(change));

    public override QueryOperator<T> ForUse(IReadOnlyList<ItemExpression> uses) => With(source.ForUse(Projection.UsesOfSource(uses, selector)));

    public override string Explain() => $"{source.Explain()}; select {ExpressionText.Of(selector)}";

    public override QuerySource Root => source.Root;

    public override IReadOnlyList<Ordering<T>> Orderings => orderings ?? [];

    public override IAsyncEnumerable<IReadOnlyList<T>> RunAsync(CancellationToken cancellationToken) =>
        source.Project(selector, cancellationToken) ?? Batches.Select(source.ForUse([ItemExpression.Of(selector)]).RunAsync(cancellationToken), Expressions.Compile(selector));

    public override QueryOperator<T> Where(Expression<Func<T, bool>> predicate) =>
        Through(ItemExpression.Of(predicate)) is { } use ? With(source.Where(use.ToLambda<TSource, bool>())) : base.Where(predicate);

    public override QueryOperator<TResult> Select<TResult>(Expression<Func<T, TResult>> next) =>
        Through(ItemExpression.Of(next)) is { } use ? source.Select(use.ToLambda<TSource, TResult>()) : base.Select(next);

    public override OrderedOperator<T> OrderBy(IReadOnlyList<Ordering<T>> by)
    {
        var through = by.Select(ordering => ordering.Through<TSource>(Through)).ToList();
        return through.Contains(null)
            ? base.OrderBy(by)
            : new ProjectOperator<TSource, T>(source.OrderBy([.. through.OfType<Ordering<TSource>>()]), selector, by);
    }

    public override OrderedOperator<T> ThenBy(Ordering<T> ordering) =>
        source is OrderedOperator<TSource> ordered && ordering.Through<TSource>(Through) is { } through
            ? new ProjectOperator<TSource, T>(ordered.ThenBy(through), selector, [.. Orderings, ordering])
            : base.OrderBy([.. Orderings, ordering]);

    public override QueryOperator<T> Unordered() => With(source.Unordered());

    public override QueryOperator<T> ForDistinct() => With(source.ForDistinct(ItemExpression.Of(selector)));

    public override bool CanLookUp(ItemExpression key) => Through(key) is { } use && source.CanLookUp(use);

    public override QueryOperator<T> Skip(int count) => With(source.Skip(count));

    public override QueryOperator<T> Take(int count) => With(source.Take(count));

    public override QueryOperator<T> Reverse() => With(source.Reverse());

    public override Task<bool> AnyAsync(CancellationToken cancellationToken) => source.AnyAsync(cancellationToken);

    public override ValueTask<long> CountAsync(CancellationToken cancellationToken) =>
        SafeExpression.Is(selector.Body) ? source.CountAsync(cancellationToken) : base.CountAsync(cancellationToken);

    public override Task<TResult?> ExtremeAsync<TResult>(
        Expression<Func<T, TResult>> value, bool isGreatest, CancellationToken cancellationToken)
        where TResult : default => Through(ItemExpression.Of(value)) is { } use
            ? source.ExtremeAsync(use.ToLambda<TSource, TResult>(), isGreatest, cancellationToken)
            : base.ExtremeAsync(value, isGreatest, cancellationToken);

    ItemExpression? Through(ItemExpression use) => Projection.Through(use, selector);

    ProjectOperator<TSource, T> With(QueryOperator<TSource> other) => new(other, selector, orderings);
}
