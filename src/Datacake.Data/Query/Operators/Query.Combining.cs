using System.Linq.Expressions;
using Datacake.Data.Querying;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>Returns the items, and then those of another query.</summary>
    public Query<T> Concat(Query<T> second) => Combine<T, T>(second, "concat", Batches.Concat);

    /// <summary>Returns the items, and then others.</summary>
    public Query<T> Concat(IEnumerable<T> second) => Concat(Local(second));

    /// <summary>Returns the different items of this query and of another one, each once. An entity that both find is one item.</summary>
    public Query<T> Union(Query<T> second) => Combine<T, T>(second, "union", static (a, b) => Batches.Distinct(Batches.Concat(a, b)));

    /// <summary>Returns the different items of this query and of others, each once.</summary>
    public Query<T> Union(IEnumerable<T> second) => Union(Local(second));

    /// <summary>Returns the first item with each key, of this query and of another one.</summary>
    public Query<T> UnionBy<TKey>(Query<T> second, Expression<Func<T, TKey>> keySelector)
    {
        var keyed = KeyedBy(keySelector);
        return Combine<T, T>(second, "union by", (a, b) => Items(Batches.DistinctBy(Batches.Concat(keyed(a), keyed(b)), static pair => pair.Key)));
    }

    /// <summary>Returns the first item with each key, of this query and of others.</summary>
    public Query<T> UnionBy<TKey>(IEnumerable<T> second, Expression<Func<T, TKey>> keySelector) => UnionBy(Local(second), keySelector);

    /// <summary>Returns the different items that another query does not have.</summary>
    public Query<T> Except(Query<T> second) => Combine<T, T>(second, "except", static (a, b) => Batches.Keep(a, b, static item => item, isIn: false));

    /// <summary>Returns the different items that others do not have.</summary>
    public Query<T> Except(IEnumerable<T> second) => Except(Local(second));

    /// <summary>Returns the first item with each key that another query does not have.</summary>
    public Query<T> ExceptBy<TKey>(Query<TKey> second, Expression<Func<T, TKey>> keySelector)
    {
        var keyed = KeyedBy(keySelector);
        return Combine<TKey, T>(second, "except by", (a, b) => Items(Batches.Keep(keyed(a), b, static pair => pair.Key, isIn: false)));
    }

    /// <summary>Returns the first item with each key that is not among others.</summary>
    public Query<T> ExceptBy<TKey>(IEnumerable<TKey> second, Expression<Func<T, TKey>> keySelector) => ExceptBy(Local(second), keySelector);

    /// <summary>Returns the different items that another query has, too.</summary>
    public Query<T> Intersect(Query<T> second) => Combine<T, T>(second, "intersect", static (a, b) => Batches.Keep(a, b, static item => item, isIn: true));

    /// <summary>Returns the different items that are among others, too.</summary>
    public Query<T> Intersect(IEnumerable<T> second) => Intersect(Local(second));

    /// <summary>Returns the first item with each key that another query has.</summary>
    public Query<T> IntersectBy<TKey>(Query<TKey> second, Expression<Func<T, TKey>> keySelector)
    {
        var keyed = KeyedBy(keySelector);
        return Combine<TKey, T>(second, "intersect by", (a, b) => Items(Batches.Keep(keyed(a), b, static pair => pair.Key, isIn: true)));
    }

    /// <summary>Returns the first item with each key that is among others.</summary>
    public Query<T> IntersectBy<TKey>(IEnumerable<TKey> second, Expression<Func<T, TKey>> keySelector) => IntersectBy(Local(second), keySelector);

    /// <summary>Returns the items in pairs with those of another query, until one has no more.</summary>
    public Query<(T First, TSecond Second)> Zip<TSecond>(Query<TSecond> second) => Combine<TSecond, (T, TSecond)>(second, "zip", Batches.Zip);

    /// <summary>Returns the items in pairs with others, until one has no more.</summary>
    public Query<(T First, TSecond Second)> Zip<TSecond>(IEnumerable<TSecond> second) => Zip(Local(second));

    /// <summary>Returns what a selector makes of each item and the one of another query at its place, until one has no more.</summary>
    public Query<TResult> Zip<TSecond, TResult>(Query<TSecond> second, Expression<Func<T, TSecond, TResult>> resultSelector) =>
        Combine<TSecond, Pair<T, TSecond>>(second, "zip", static (a, b) => Batches.Select(Batches.Zip(a, b), static pair => new Pair<T, TSecond>(pair.Item1, pair.Item2)))
            .Select(OfPair(resultSelector, isRightOptional: true));

    /// <summary>Returns what a selector makes of each item and another one at its place, until one side has no more.</summary>
    public Query<TResult> Zip<TSecond, TResult>(IEnumerable<TSecond> second, Expression<Func<T, TSecond, TResult>> resultSelector) =>
        Zip(Local(second), resultSelector);

    /// <summary>Returns the items, and then another one.</summary>
    public Query<T> Append(T item) => Concat([item]);

    /// <summary>Returns an item, and then those of the query.</summary>
    public Query<T> Prepend(T item) => Then("prepend", items => Batches.Concat(Batches.Of(item), items));

    CombinedQuery<T, TSecond, TResult> Combine<TSecond, TResult>(
        Query<TSecond> second, string name,
        Func<IAsyncEnumerable<IReadOnlyList<T>>, IAsyncEnumerable<IReadOnlyList<TSecond>>, IAsyncEnumerable<IReadOnlyList<TResult>>> combine)
    {
        ArgumentNullException.ThrowIfNull(second);
        return new(this, second, name, combine);
    }

    /// <summary>Gives items their keys, for which what they use of related entities is loaded.</summary>
    Func<IAsyncEnumerable<IReadOnlyList<T>>, IAsyncEnumerable<IReadOnlyList<(TKey Key, T Item)>>> KeyedBy<TKey>(Expression<Func<T, TKey>> keySelector)
    {
        ArgumentNullException.ThrowIfNull(keySelector);
        RefuseOpaque(keySelector);
        var normalized = RunValues.Apply(Normalize(keySelector), Expressions);
        if (UsesRelated(normalized))
            return items => RelatedSteps.Key(items, Root, normalized);
        var key = Expressions.Compile(normalized);
        return items => Batches.Select(items, item => (key(item), item));
    }

    static IAsyncEnumerable<IReadOnlyList<T>> Items<TKey>(IAsyncEnumerable<IReadOnlyList<(TKey Key, T Item)>> keyed) => Batches.Select(keyed, static pair => pair.Item);

    LocalQuery<TItem> Local<TItem>(IEnumerable<TItem> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        return new(items, Root);
    }
}
