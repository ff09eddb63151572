using System.Linq.Expressions;
using Datacake.Data.Querying;

namespace Datacake.Data;

// Operators whose keys are of related entities: what an expression makes of each item is computed first, with what is loaded for that, and goes with the item.
public abstract partial class Query<T>
{
    /// <summary>Each item with what a selector makes of it.</summary>
    internal Query<Pair<T, TValue>> WithValue<TValue>(Expression<Func<T, TValue>> selector)
    {
        Expression<Func<T, TValue, Pair<T, TValue>>> pair = (item, value) => new Pair<T, TValue>(item, value);
        var made = new ParameterReplacement(pair.Parameters[1], selector.Body).Visit(pair.Body);
        made = new ParameterReplacement(pair.Parameters[0], selector.Parameters[0]).Visit(made);
        return Select(Expression.Lambda<Func<T, Pair<T, TValue>>>(made, selector.Parameters));
    }

    /// <summary>What a selector makes of each item, in pairs.</summary>
    Query<Pair<TFirst, TSecond>> Both<TFirst, TSecond>(Expression<Func<T, TFirst>> first, Expression<Func<T, TSecond>> second)
    {
        Expression<Func<TFirst, TSecond, Pair<TFirst, TSecond>>> pair = (a, b) => new Pair<TFirst, TSecond>(a, b);
        var made = new ParameterReplacement(pair.Parameters[0], first.Body).Visit(pair.Body);
        made = new ParameterReplacement(pair.Parameters[1], new ParameterReplacement(second.Parameters[0], first.Parameters[0]).Visit(second.Body)).Visit(made);
        return Select(Expression.Lambda<Func<T, Pair<TFirst, TSecond>>>(made, first.Parameters));
    }

    /// <summary>The items that an operator chooses by what a selector makes of each.</summary>
    Query<T> ChooseWith<TKey>(Expression<Func<T, TKey>> keySelector, Func<Query<Pair<T, TKey>>, Query<Pair<T, TKey>>> choose) =>
        choose(WithValue(keySelector)).Select<T>(pair => pair.Left);

    /// <summary>Says of the items of pairs, as the first argument of a function, what it says of items.</summary>
    static Expression<Func<Pair<T, TValue>, TOther, TResult>> OfLeft<TValue, TOther, TResult>(Expression<Func<T, TOther, TResult>> selector)
    {
        Expression<Func<Pair<T, TValue>, T>> left = pair => pair.Left;
        var pair = Expression.Parameter(typeof(Pair<T, TValue>), selector.Parameters[0].Name);
        var body = new ParameterReplacement(selector.Parameters[0], ItemUse.Of(left).With(pair)).Visit(selector.Body);
        return Expression.Lambda<Func<Pair<T, TValue>, TOther, TResult>>(body, pair, selector.Parameters[1]);
    }

    /// <summary>Says of the items of pairs, as the second argument of a function, what it says of items.</summary>
    static Expression<Func<T, Pair<TInner, TValue>, TResult>> OfOtherLeft<TInner, TValue, TResult>(Expression<Func<T, TInner, TResult>> selector)
    {
        Expression<Func<Pair<TInner, TValue>, TInner>> left = pair => pair.Left;
        var pair = Expression.Parameter(typeof(Pair<TInner, TValue>), selector.Parameters[1].Name);
        var body = new ParameterReplacement(selector.Parameters[1], ItemUse.Of(left).With(pair)).Visit(selector.Body);
        return Expression.Lambda<Func<T, Pair<TInner, TValue>, TResult>>(body, selector.Parameters[0], pair);
    }

    /// <summary>Says of the items of several pairs what a function says of several items.</summary>
    static Expression<Func<T, IEnumerable<Pair<TInner, TValue>>, TResult>> OfOtherLefts<TInner, TValue, TResult>(Expression<Func<T, IEnumerable<TInner>, TResult>> selector)
    {
        Expression<Func<IEnumerable<Pair<TInner, TValue>>, IEnumerable<TInner>>> lefts = pairs => pairs.Select(pair => pair.Left);
        var pairs = Expression.Parameter(typeof(IEnumerable<Pair<TInner, TValue>>), selector.Parameters[1].Name);
        var body = new ParameterReplacement(selector.Parameters[1], ItemUse.Of(lefts).With(pairs)).Visit(selector.Body);
        return Expression.Lambda<Func<T, IEnumerable<Pair<TInner, TValue>>, TResult>>(body, selector.Parameters[0], pairs);
    }
}
