using System.Linq.Expressions;
using Datacake.Data.Querying.Operators;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>
    /// Joins the results with those of another query that have the same key, in the order of this query. If the other query has a key or an
    /// index for the join, its results are looked up; otherwise they are read once. On both sides, only the properties that are used are
    /// read.
    /// </summary>
    /// <param name="inner">The other query.</param>
    /// <param name="outerKeySelector">The key of the results of this query. Null matches nothing.</param>
    /// <param name="innerKeySelector">The key of the results of the other query.</param>
    /// <param name="resultSelector">Creates a result from two items with the same key.</param>
    public Query<TResult> Join<TInner, TKey, TResult>(
        Query<TInner> inner, Expression<Func<T, TKey>> outerKeySelector, Expression<Func<TInner, TKey>> innerKeySelector,
        Expression<Func<T, TInner, TResult>> resultSelector)
    {
        CheckJoin(inner, outerKeySelector, innerKeySelector, resultSelector);
        return new JoinOperator<T, TInner, TKey>(Matched(inner, outerKeySelector, innerKeySelector), isLeft: false).ToQuery().Select(OfPair(resultSelector, isRightOptional: false));
    }

    /// <summary>
    /// Joins the results with those of another query, as <c>Join</c> does. Results without a match are included, with the default in place
    /// of the other item.
    /// </summary>
    /// <param name="inner">The other query.</param>
    /// <param name="outerKeySelector">The key of the results of this query. Null matches nothing.</param>
    /// <param name="innerKeySelector">The key of the results of the other query.</param>
    /// <param name="resultSelector">Creates a result from two items with the same key, the second of which may be missing.</param>
    public Query<TResult> LeftJoin<TInner, TKey, TResult>(
        Query<TInner> inner, Expression<Func<T, TKey>> outerKeySelector, Expression<Func<TInner, TKey>> innerKeySelector,
        Expression<Func<T, TInner?, TResult>> resultSelector)
    {
        CheckJoin(inner, outerKeySelector, innerKeySelector, resultSelector);
        return new JoinOperator<T, TInner, TKey>(Matched(inner, outerKeySelector, innerKeySelector), isLeft: true).ToQuery().Select(OfPair<TInner, TResult>(resultSelector!, isRightOptional: true));
    }

    /// <summary>
    /// Joins the results of another query with those of this query. All results of the other query are included, in its order, with the
    /// default in place of a missing item of this query.
    /// </summary>
    /// <param name="inner">The other query.</param>
    /// <param name="outerKeySelector">The key of the results of this query. Null matches nothing.</param>
    /// <param name="innerKeySelector">The key of the results of the other query.</param>
    /// <param name="resultSelector">Creates a result from two items with the same key, the first of which may be missing.</param>
    public Query<TResult> RightJoin<TInner, TKey, TResult>(
        Query<TInner> inner, Expression<Func<T, TKey>> outerKeySelector, Expression<Func<TInner, TKey>> innerKeySelector,
        Expression<Func<T?, TInner, TResult>> resultSelector)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(resultSelector);
        var swapped = Expression.Lambda<Func<TInner, T?, TResult>>(resultSelector.Body, resultSelector.Parameters[1], resultSelector.Parameters[0]);
        return inner.LeftJoin(this, innerKeySelector, outerKeySelector, swapped);
    }

    /// <summary>Joins each result with all results of another query that have the same key.</summary>
    /// <param name="inner">The other query.</param>
    /// <param name="outerKeySelector">The key of the results of this query. Null matches nothing.</param>
    /// <param name="innerKeySelector">The key of the results of the other query.</param>
    /// <param name="resultSelector">Creates a result from an item and the items that it is joined with.</param>
    public Query<TResult> GroupJoin<TInner, TKey, TResult>(
        Query<TInner> inner, Expression<Func<T, TKey>> outerKeySelector, Expression<Func<TInner, TKey>> innerKeySelector,
        Expression<Func<T, IEnumerable<TInner>, TResult>> resultSelector)
    {
        CheckJoin(inner, outerKeySelector, innerKeySelector, resultSelector);
        return Matched(inner, outerKeySelector, innerKeySelector).ToQuery().Select(OfPair(resultSelector, isRightOptional: false));
    }

    /// <summary>Returns the elements of a collection of each result.</summary>
    public Query<TElement> SelectMany<TElement>(Expression<Func<T, IEnumerable<TElement>>> collectionSelector) =>
        SelectMany(collectionSelector, static (_, element) => element);

    /// <summary>Projects each result together with each element of one of its collections.</summary>
    public Query<TResult> SelectMany<TElement, TResult>(
        Expression<Func<T, IEnumerable<TElement>>> collectionSelector, Expression<Func<T, TElement, TResult>> resultSelector)
    {
        ArgumentNullException.ThrowIfNull(collectionSelector);
        ArgumentNullException.ThrowIfNull(resultSelector);
        Operator.RefuseOpaque(collectionSelector);
        return new FlattenOperator<T, TElement>(Operator, Operator.Normalize(collectionSelector)).ToQuery().Select(OfPair(resultSelector, isRightOptional: true));
    }

    /// <summary>
    /// Returns the results of the query that a selector creates for each result. If the created query does not depend on the result, it is
    /// read once. Otherwise it is run for each result, and <c>Join</c> is faster if its condition is an equality.
    /// </summary>
    public Query<TInner> SelectMany<TInner>(Expression<Func<T, Query<TInner>>> querySelector) => SelectMany(querySelector, static (_, inner) => inner);

    /// <summary>
    /// Projects each result together with each result of the query that a selector creates for it:
    /// <c>from a in db.A from b in db.B select …</c>. If the created query does not depend on the result, it is read once. Otherwise it is
    /// run for each result, and <c>Join</c> is faster if its condition is an equality.
    /// </summary>
    public Query<TResult> SelectMany<TInner, TResult>(
        Expression<Func<T, Query<TInner>>> querySelector, Expression<Func<T, TInner, TResult>> resultSelector)
    {
        ArgumentNullException.ThrowIfNull(querySelector);
        var selector = OfPair(resultSelector, isRightOptional: false);
        var made = Operator.Normalize(querySelector);
        return ParameterSearch.IsIn(made.Body, made.Parameters[0])
            ? new CorrelatedOperator<T, TInner>(Operator, made, changed: static settings => settings).ToQuery().Select(selector)
            : new CrossOperator<T, TInner>(Operator, ((Query<TInner>)Expressions.Evaluate(made.Body)!).Operator).ToQuery().Select(selector);
    }

    GroupJoinOperator<T, TInner, TKey> Matched<TInner, TKey>(
        Query<TInner> inner, Expression<Func<T, TKey>> outerKeySelector, Expression<Func<TInner, TKey>> innerKeySelector) =>
        new(Operator, inner.Operator, Operator.Normalize(outerKeySelector), inner.Operator.Normalize(innerKeySelector));

    void CheckJoin<TInner>(Query<TInner> inner, LambdaExpression outerKeySelector, LambdaExpression innerKeySelector, LambdaExpression resultSelector)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(outerKeySelector);
        ArgumentNullException.ThrowIfNull(innerKeySelector);
        ArgumentNullException.ThrowIfNull(resultSelector);
        Operator.RefuseOpaque(outerKeySelector);
        inner.Operator.RefuseOpaque(innerKeySelector);
    }

    static Expression<Func<Pair<T, TRight>, TResult>> OfPair<TRight, TResult>(Expression<Func<T, TRight, TResult>> selector, bool isRightOptional)
    {
        ArgumentNullException.ThrowIfNull(selector);
        return Pair.Selector(selector, isRightOptional);
    }
}
