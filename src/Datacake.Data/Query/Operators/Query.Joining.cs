using System.Linq.Expressions;
using Datacake.Data.Querying;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>
    /// Joins the items with those of another query that have the same key, in the order of this query. The others are looked up if they have a key or an index for it, and are
    /// otherwise read once; of both sides only the properties that are used are read.
    /// </summary>
    /// <param name="inner">The other query.</param>
    /// <param name="outerKeySelector">The key of the items of this query. Null equals nothing.</param>
    /// <param name="innerKeySelector">The key of the items of the other query.</param>
    /// <param name="resultSelector">What to make of the two.</param>
    public Query<TResult> Join<TInner, TKey, TResult>(
        Query<TInner> inner, Expression<Func<T, TKey>> outerKeySelector, Expression<Func<TInner, TKey>> innerKeySelector,
        Expression<Func<T, TInner, TResult>> resultSelector)
    {
        CheckJoin(inner, outerKeySelector, innerKeySelector, resultSelector);
        return new JoinQuery<T, TInner, TKey>(Matched(inner, outerKeySelector, innerKeySelector), isLeft: false).Select(OfPair(resultSelector, isRightOptional: false));
    }

    /// <summary>Joins the items with those of another query as <c>Join</c> does. Items without any are there, too, with the default in its place.</summary>
    /// <param name="inner">The other query.</param>
    /// <param name="outerKeySelector">The key of the items of this query. Null equals nothing.</param>
    /// <param name="innerKeySelector">The key of the items of the other query.</param>
    /// <param name="resultSelector">What to make of the two, the second of which may be missing.</param>
    public Query<TResult> LeftJoin<TInner, TKey, TResult>(
        Query<TInner> inner, Expression<Func<T, TKey>> outerKeySelector, Expression<Func<TInner, TKey>> innerKeySelector,
        Expression<Func<T, TInner?, TResult>> resultSelector)
    {
        CheckJoin(inner, outerKeySelector, innerKeySelector, resultSelector);
        return new JoinQuery<T, TInner, TKey>(Matched(inner, outerKeySelector, innerKeySelector), isLeft: true).Select(OfPair<TInner, TResult>(resultSelector!, isRightOptional: true));
    }

    /// <summary>Joins the items of another query with those of this one: all of the other one are there, in its order, with the default in place of a missing item of this one.</summary>
    /// <param name="inner">The other query.</param>
    /// <param name="outerKeySelector">The key of the items of this query. Null equals nothing.</param>
    /// <param name="innerKeySelector">The key of the items of the other query.</param>
    /// <param name="resultSelector">What to make of the two, the first of which may be missing.</param>
    public Query<TResult> RightJoin<TInner, TKey, TResult>(
        Query<TInner> inner, Expression<Func<T, TKey>> outerKeySelector, Expression<Func<TInner, TKey>> innerKeySelector,
        Expression<Func<T?, TInner, TResult>> resultSelector)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(resultSelector);
        var swapped = Expression.Lambda<Func<TInner, T?, TResult>>(resultSelector.Body, resultSelector.Parameters[1], resultSelector.Parameters[0]);
        return inner.LeftJoin(this, innerKeySelector, outerKeySelector, swapped);
    }

    /// <summary>Joins each item with all items of another query that have the same key.</summary>
    /// <param name="inner">The other query.</param>
    /// <param name="outerKeySelector">The key of the items of this query. Null equals nothing.</param>
    /// <param name="innerKeySelector">The key of the items of the other query.</param>
    /// <param name="resultSelector">What to make of an item and those that it is joined with.</param>
    public Query<TResult> GroupJoin<TInner, TKey, TResult>(
        Query<TInner> inner, Expression<Func<T, TKey>> outerKeySelector, Expression<Func<TInner, TKey>> innerKeySelector,
        Expression<Func<T, IEnumerable<TInner>, TResult>> resultSelector)
    {
        CheckJoin(inner, outerKeySelector, innerKeySelector, resultSelector);
        return Matched(inner, outerKeySelector, innerKeySelector).Select(OfPair(resultSelector, isRightOptional: false));
    }

    /// <summary>Returns the elements of a collection of each item, one after the other.</summary>
    public Query<TElement> SelectMany<TElement>(Expression<Func<T, IEnumerable<TElement>>> collectionSelector) =>
        SelectMany(collectionSelector, static (_, element) => element);

    /// <summary>Returns what a selector makes of each item and each element of a collection of it.</summary>
    public Query<TResult> SelectMany<TElement, TResult>(
        Expression<Func<T, IEnumerable<TElement>>> collectionSelector, Expression<Func<T, TElement, TResult>> resultSelector)
    {
        ArgumentNullException.ThrowIfNull(collectionSelector);
        ArgumentNullException.ThrowIfNull(resultSelector);
        RefuseOpaque(collectionSelector);
        return new FlattenedQuery<T, TElement>(this, Normalize(collectionSelector)).Select(OfPair(resultSelector, isRightOptional: true));
    }

    /// <summary>
    /// Returns the results of the queries that a selector makes for each item, one after the other. If it makes the same one for all, that is read once; otherwise one is run
    /// for each item, so where its condition is an equality, <c>Join</c> is faster.
    /// </summary>
    public Query<TInner> SelectMany<TInner>(Expression<Func<T, Query<TInner>>> querySelector) => SelectMany(querySelector, static (_, inner) => inner);

    /// <summary>
    /// Returns what a selector makes of each item and each result of the query that another selector makes for it: <c>from a in db.A from b in db.B select …</c>. If that query
    /// does not depend on the item, it is read once; otherwise it is run for each, so where its condition is an equality, <c>Join</c> is faster.
    /// </summary>
    public Query<TResult> SelectMany<TInner, TResult>(
        Expression<Func<T, Query<TInner>>> querySelector, Expression<Func<T, TInner, TResult>> resultSelector)
    {
        ArgumentNullException.ThrowIfNull(querySelector);
        var selector = OfPair(resultSelector, isRightOptional: false);
        var made = Normalize(querySelector);
        return ParameterSearch.IsIn(made.Body, made.Parameters[0])
            ? new CorrelatedQuery<T, TInner>(this, made, changed: static settings => settings).Select(selector)
            : new CrossQuery<T, TInner>(this, (Query<TInner>)Expressions.Evaluate(made.Body)!).Select(selector);
    }

    GroupJoinQuery<T, TInner, TKey> Matched<TInner, TKey>(
        Query<TInner> inner, Expression<Func<T, TKey>> outerKeySelector, Expression<Func<TInner, TKey>> innerKeySelector) =>
        new(this, inner, Normalize(outerKeySelector), inner.Normalize(innerKeySelector));

    void CheckJoin<TInner>(Query<TInner> inner, LambdaExpression outerKeySelector, LambdaExpression innerKeySelector, LambdaExpression resultSelector)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(outerKeySelector);
        ArgumentNullException.ThrowIfNull(innerKeySelector);
        ArgumentNullException.ThrowIfNull(resultSelector);
        RefuseOpaque(outerKeySelector);
        inner.RefuseOpaque(innerKeySelector);
    }

    static Expression<Func<Pair<T, TRight>, TResult>> OfPair<TRight, TResult>(Expression<Func<T, TRight, TResult>> selector, bool isRightOptional)
    {
        ArgumentNullException.ThrowIfNull(selector);
        return Pair.Selector(selector, isRightOptional);
    }
}
