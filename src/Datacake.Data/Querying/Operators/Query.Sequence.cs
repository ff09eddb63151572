using System.Linq.Expressions;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Operators;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>
    /// Returns the results in the opposite order. If a key or an index provides the order, it is read from its other end.
    /// </summary>
    public Query<T> Reverse() => Operator.Reverse().ToQuery();

    /// <summary>Returns the results, or the type's default if there are none.</summary>
    public Query<T?> DefaultIfEmpty() => Then("default if empty", static items => Batches.DefaultIfEmpty<T?>(items, default));

    /// <summary>Returns the results, or another value if there are none.</summary>
    public Query<T> DefaultIfEmpty(T defaultValue) => Then("default if empty", items => Batches.DefaultIfEmpty(items, defaultValue));

    /// <summary>Returns the first result for each key.</summary>
    public Query<T> DistinctBy<TKey>(Expression<Func<T, TKey>> keySelector)
    {
        var keyed = Operator.KeyedBy(keySelector);
        return Pass($"distinct by {ExpressionText.Of(keySelector.Body)}", (items, source) => Items(Batches.DistinctBy(keyed(items, source), static pair => pair.Key)), ItemExpression.Of(keySelector));
    }

    /// <summary>Returns results as long as the predicate is true. Nothing is read after that.</summary>
    public Query<T> TakeWhile(Expression<Func<T, bool>> predicate)
    {
        var keyed = Operator.KeyedBy(predicate);
        return Pass($"take while {ExpressionText.Of(predicate.Body)}", (items, source) => Items(Batches.TakeWhile(keyed(items, source), static pair => pair.Key)), ItemExpression.Of(predicate));
    }

    /// <summary>Skips results as long as the predicate is true, and returns the rest.</summary>
    public Query<T> SkipWhile(Expression<Func<T, bool>> predicate)
    {
        var keyed = Operator.KeyedBy(predicate);
        return Pass($"skip while {ExpressionText.Of(predicate.Body)}", (items, source) => Items(Batches.SkipWhile(keyed(items, source), static pair => pair.Key)), ItemExpression.Of(predicate));
    }

    /// <summary>Returns a number of results from the end, in their order.</summary>
    public Query<T> TakeLast(int count) => Operator.Reverse().Take(Math.Max(count, 0)).Pass("reverse", static (items, _) => Batches.Reverse(items)).ToQuery();

    /// <summary>Returns the results without a number of them from the end.</summary>
    public Query<T> SkipLast(int count) => count <= 0 ? this : Pass($"skip last {count}", (items, _) => Batches.SkipLast(items, count));

    /// <summary>Returns the results in arrays of the given size, the last of which may be shorter.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is less than 1.</exception>
    public Query<T[]> Chunk(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        return Then($"in chunks of {size}", items => Batches.Chunk(items, size));
    }

    /// <summary>Returns each result with its index, counted from 0.</summary>
    public Query<(int Index, T Item)> Index() => Then("with index", static items => Batches.Index(items));

    /// <summary>Casts the results to a type that all of them must be of. To select the results of a type, use <c>OfType</c>.</summary>
    public Query<TResult> Cast<TResult>() => Then($"cast to {typeof(TResult).Name}", static items => Batches.Select(items, static item => (TResult)(object)item!));

    /// <summary>Sorts the results by themselves, in ascending order.</summary>
    public OrderedQuery<T> Order() => OrderBy(static item => item);

    /// <summary>Sorts the results by themselves, in descending order.</summary>
    public OrderedQuery<T> OrderDescending() => OrderByDescending(static item => item);

    /// <summary>Sorts the results by a key and a comparer, in ascending order. The results are sorted in memory.</summary>
    public OrderedQuery<T> OrderBy<TKey>(Expression<Func<T, TKey>> keySelector, IComparer<TKey>? comparer) =>
        comparer is null ? OrderBy(keySelector) : OrderBy(new ComparerOrdering<T, TKey>(keySelector, comparer, isDescending: false, Expressions));

    /// <summary>Sorts the results by a key and a comparer, in descending order. The results are sorted in memory.</summary>
    public OrderedQuery<T> OrderByDescending<TKey>(Expression<Func<T, TKey>> keySelector, IComparer<TKey>? comparer) =>
        comparer is null ? OrderByDescending(keySelector) : OrderBy(new ComparerOrdering<T, TKey>(keySelector, comparer, isDescending: true, Expressions));
}
