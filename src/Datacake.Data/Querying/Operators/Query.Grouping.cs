using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.Data.Querying.Operators;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>
    /// Groups the results by a key, in the order in which the keys first occur: <c>q.GroupBy(x => x.Kind).Select(g => new { g.Key, Sum =
    /// g.Sum(x => x.Price) })</c> reads only the two properties and tracks nothing. Entities in groups that are results as a whole are
    /// tracked.
    /// </summary>
    public Query<IGrouping<TKey, T>> GroupBy<TKey>(Expression<Func<T, TKey>> keySelector) => GroupBy(keySelector, static item => item);

    /// <summary>Groups the projected results by a key, in the order in which the keys first occur.</summary>
    public Query<IGrouping<TKey, TElement>> GroupBy<TKey, TElement>(
        Expression<Func<T, TKey>> keySelector, Expression<Func<T, TElement>> elementSelector)
    {
        ArgumentNullException.ThrowIfNull(keySelector);
        ArgumentNullException.ThrowIfNull(elementSelector);
        Operator.RefuseOpaque(keySelector);
        return new GroupOperator<T, TKey, TElement>(Operator, Operator.Normalize(keySelector), Operator.Normalize(elementSelector)).ToQuery();
    }

    /// <summary>Groups the results by a key, and projects each key together with its results.</summary>
    public Query<TResult> GroupBy<TKey, TResult>(
        Expression<Func<T, TKey>> keySelector, Expression<Func<TKey, IEnumerable<T>, TResult>> resultSelector) =>
        GroupBy(keySelector).Select(OfGroup(resultSelector));

    /// <summary>Groups the projected results by a key, and projects each key together with its group.</summary>
    public Query<TResult> GroupBy<TKey, TElement, TResult>(
        Expression<Func<T, TKey>> keySelector, Expression<Func<T, TElement>> elementSelector,
        Expression<Func<TKey, IEnumerable<TElement>, TResult>> resultSelector) =>
        GroupBy(keySelector, elementSelector).Select(OfGroup(resultSelector));

    static Expression<Func<IGrouping<TKey, TElement>, TResult>> OfGroup<TKey, TElement, TResult>(
        Expression<Func<TKey, IEnumerable<TElement>, TResult>> selector)
    {
        ArgumentNullException.ThrowIfNull(selector);
        Expression<Func<IGrouping<TKey, TElement>, TKey>> key = group => group.Key;
        var group = key.Parameters[0];
        var body = new ParameterReplacement(selector.Parameters[0], key.Body).Visit(selector.Body);
        body = new ParameterReplacement(selector.Parameters[1], Expression.Convert(group, typeof(IEnumerable<TElement>))).Visit(body);
        return Expression.Lambda<Func<IGrouping<TKey, TElement>, TResult>>(body, group);
    }
}
