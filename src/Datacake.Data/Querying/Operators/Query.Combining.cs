using System.Linq.Expressions;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Operators;
using Datacake.Data.Querying.Related;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>Returns the results, followed by those of another query.</summary>
    public Query<T> Concat(Query<T> second) => Combine<T, T>(second, "concat", static (a, b, _) => Batches.Concat(a, b));

    /// <summary>Returns the results, followed by the items of a sequence.</summary>
    public Query<T> Concat(IEnumerable<T> second) => Concat(Local(second));

    /// <summary>Returns the distinct results of this query and another one. An entity that both queries find is one result.</summary>
    public Query<T> Union(Query<T> second) => Combine<T, T>(second, "union", static (a, b, _) => Batches.Distinct(Batches.Concat(a, b)));

    /// <summary>Returns the distinct results of this query and the items of a sequence.</summary>
    public Query<T> Union(IEnumerable<T> second) => Union(Local(second));

    /// <summary>Returns the first result for each key, of this query and another one.</summary>
    public Query<T> UnionBy<TKey>(Query<T> second, Expression<Func<T, TKey>> keySelector)
    {
        var keyed = Operator.KeyedBy(keySelector);
        return Combine<T, T>(second, "union by", (a, b, source) => Items(Batches.DistinctBy(Batches.Concat(keyed(a, source), keyed(b, source)), static pair => pair.Key)));
    }

    /// <summary>Returns the first item for each key, of this query and a sequence.</summary>
    public Query<T> UnionBy<TKey>(IEnumerable<T> second, Expression<Func<T, TKey>> keySelector) => UnionBy(Local(second), keySelector);

    /// <summary>Returns the distinct results that another query does not return.</summary>
    public Query<T> Except(Query<T> second) => Combine<T, T>(second, "except", static (a, b, _) => Batches.Keep(a, b, static item => item, isIn: false));

    /// <summary>Returns the distinct results that are not in a sequence.</summary>
    public Query<T> Except(IEnumerable<T> second) => Except(Local(second));

    /// <summary>Returns the first result for each key that another query does not return.</summary>
    public Query<T> ExceptBy<TKey>(Query<TKey> second, Expression<Func<T, TKey>> keySelector)
    {
        var keyed = Operator.KeyedBy(keySelector);
        return Combine<TKey, T>(second, "except by", (a, b, source) => Items(Batches.Keep(keyed(a, source), b, static pair => pair.Key, isIn: false)));
    }

    /// <summary>Returns the first result for each key that is not in a sequence.</summary>
    public Query<T> ExceptBy<TKey>(IEnumerable<TKey> second, Expression<Func<T, TKey>> keySelector) => ExceptBy(Local(second), keySelector);

    /// <summary>Returns the distinct results that another query also returns.</summary>
    public Query<T> Intersect(Query<T> second) => Combine<T, T>(second, "intersect", static (a, b, _) => Batches.Keep(a, b, static item => item, isIn: true));

    /// <summary>Returns the distinct results that are also in a sequence.</summary>
    public Query<T> Intersect(IEnumerable<T> second) => Intersect(Local(second));

    /// <summary>Returns the first result for each key that another query returns.</summary>
    public Query<T> IntersectBy<TKey>(Query<TKey> second, Expression<Func<T, TKey>> keySelector)
    {
        var keyed = Operator.KeyedBy(keySelector);
        return Combine<TKey, T>(second, "intersect by", (a, b, source) => Items(Batches.Keep(keyed(a, source), b, static pair => pair.Key, isIn: true)));
    }

    /// <summary>Returns the first result for each key that is in a sequence.</summary>
    public Query<T> IntersectBy<TKey>(IEnumerable<TKey> second, Expression<Func<T, TKey>> keySelector) => IntersectBy(Local(second), keySelector);

    /// <summary>Returns the results paired with those of another query, until one of them has no more.</summary>
    public Query<(T First, TSecond Second)> Zip<TSecond>(Query<TSecond> second) => Combine<TSecond, (T, TSecond)>(second, "zip", static (a, b, _) => Batches.Zip(a, b));

    /// <summary>Returns the results paired with the items of a sequence, until one of them has no more.</summary>
    public Query<(T First, TSecond Second)> Zip<TSecond>(IEnumerable<TSecond> second) => Zip(Local(second));

    /// <summary>
    /// Projects each result together with the result of another query at the same position, until one of them has no more.
    /// </summary>
    public Query<TResult> Zip<TSecond, TResult>(Query<TSecond> second, Expression<Func<T, TSecond, TResult>> resultSelector) =>
        Combine<TSecond, Pair<T, TSecond>>(second, "zip", static (a, b, _) => Batches.Select(Batches.Zip(a, b), static pair => new Pair<T, TSecond>(pair.Item1, pair.Item2)))
            .Select(OfPair(resultSelector, isRightOptional: true));

    /// <summary>Projects each result together with the item of a sequence at the same position, until one of them has no more.</summary>
    public Query<TResult> Zip<TSecond, TResult>(IEnumerable<TSecond> second, Expression<Func<T, TSecond, TResult>> resultSelector) =>
        Zip(Local(second), resultSelector);

    /// <summary>Returns the results, followed by another item.</summary>
    public Query<T> Append(T item) => Concat([item]);

    /// <summary>Returns an item, followed by the results.</summary>
    public Query<T> Prepend(T item) => Then("prepend", items => Batches.Concat(Batches.Of(item), items));

    Query<TResult> Combine<TSecond, TResult>(
        Query<TSecond> second, string name,
        Func<IAsyncEnumerable<IReadOnlyList<T>>, IAsyncEnumerable<IReadOnlyList<TSecond>>, QuerySource, IAsyncEnumerable<IReadOnlyList<TResult>>> combine)
    {
        ArgumentNullException.ThrowIfNull(second);
        return new CombineOperator<T, TSecond, TResult>(Operator, second.Operator, name, combine).ToQuery();
    }

    static IAsyncEnumerable<IReadOnlyList<T>> Items<TKey>(IAsyncEnumerable<IReadOnlyList<(TKey Key, T Item)>> keyed) => Batches.Select(keyed, static pair => pair.Item);

    Query<TItem> Local<TItem>(IEnumerable<TItem> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return new LocalOperator<TItem>(items, Operator.Root).ToQuery();
    }
}
