using System.Linq.Expressions;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Operators;

namespace Datacake.Data;

/// <summary>A query whose results are ordered, and can be ordered by further keys.</summary>
public class OrderedQuery<T> : Query<T>
{
    internal OrderedQuery(OrderedOperator<T> last) => Operator = last;

    internal sealed override OrderedOperator<T> Operator { get; }

    /// <summary>Sorts results that compare equal so far by another key, in ascending order.</summary>
    public OrderedQuery<T> ThenBy<TKey>(Expression<Func<T, TKey>> keySelector) =>
        ThenBy(new Ordering<T, TKey>(keySelector, isDescending: false, Expressions));

    /// <summary>Sorts results that compare equal so far by another key, in descending order.</summary>
    public OrderedQuery<T> ThenByDescending<TKey>(Expression<Func<T, TKey>> keySelector) =>
        ThenBy(new Ordering<T, TKey>(keySelector, isDescending: true, Expressions));

    /// <summary>
    /// Sorts results that compare equal so far by another key and a comparer, in ascending order. The results are sorted in memory.
    /// </summary>
    public OrderedQuery<T> ThenBy<TKey>(Expression<Func<T, TKey>> keySelector, IComparer<TKey>? comparer) =>
        comparer is null ? ThenBy(keySelector) : ThenBy(new ComparerOrdering<T, TKey>(keySelector, comparer, isDescending: false, Expressions));

    /// <summary>
    /// Sorts results that compare equal so far by another key and a comparer, in descending order. The results are sorted in memory.
    /// </summary>
    public OrderedQuery<T> ThenByDescending<TKey>(Expression<Func<T, TKey>> keySelector, IComparer<TKey>? comparer) =>
        comparer is null ? ThenByDescending(keySelector) : ThenBy(new ComparerOrdering<T, TKey>(keySelector, comparer, isDescending: true, Expressions));

    OrderedQuery<T> ThenBy(Ordering<T> ordering) => Operator.ThenBy(ordering).ToQuery();
}
