using System.Linq.Expressions;
using Datacake.Data.Querying;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>Returns the items in the opposite order. An order that a key or an index has is read from its other end.</summary>
    public Query<T> Reverse() => ReverseCore();

    /// <summary>Returns the items, or the type's default if there are none.</summary>
    public Query<T?> DefaultIfEmpty() => Then("default if empty", static items => Batches.DefaultIfEmpty<T?>(items, default));

    /// <summary>Returns the items, or another one if there are none.</summary>
    public Query<T> DefaultIfEmpty(T defaultValue) => Then("default if empty", items => Batches.DefaultIfEmpty(items, defaultValue));

    /// <summary>Returns the first item with each key.</summary>
    public Query<T> DistinctBy<TKey>(Expression<Func<T, TKey>> keySelector)
    {
        var keyed = KeyedBy(keySelector);
        return Pass($"distinct by {ExpressionText.Of(keySelector.Body)}", items => Items(Batches.DistinctBy(keyed(items), static pair => pair.Key)), ItemUse.Of(keySelector));
    }

    /// <summary>Returns the items up to the first one for which the predicate is not true. Nothing is read after that.</summary>
    public Query<T> TakeWhile(Expression<Func<T, bool>> predicate)
    {
        var keyed = KeyedBy(predicate);
        return Pass($"take while {ExpressionText.Of(predicate.Body)}", items => Items(Batches.TakeWhile(keyed(items), static pair => pair.Key)), ItemUse.Of(predicate));
    }

    /// <summary>Returns the items from the first one for which the predicate is not true.</summary>
    public Query<T> SkipWhile(Expression<Func<T, bool>> predicate)
    {
        var keyed = KeyedBy(predicate);
        return Pass($"skip while {ExpressionText.Of(predicate.Body)}", items => Items(Batches.SkipWhile(keyed(items), static pair => pair.Key)), ItemUse.Of(predicate));
    }

    /// <summary>Returns the last items, in their order.</summary>
    public Query<T> TakeLast(int count) => ReverseCore().TakeCore(Math.Max(count, 0)).Pass("reverse", static items => Batches.Reverse(items));

    /// <summary>Returns the items without the last ones.</summary>
    public Query<T> SkipLast(int count) => count <= 0 ? this : Pass($"skip last {count}", items => Batches.SkipLast(items, count));

    /// <summary>Returns the items in arrays of a size, the last of which may be shorter.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The size is not at least 1.</exception>
    public Query<T[]> Chunk(int size)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        return Then($"in chunks of {size}", items => Batches.Chunk(items, size));
    }

    /// <summary>Returns each item with its number, from 0.</summary>
    public Query<(int Index, T Item)> Index() => Then("with index", static items => Batches.Index(items));

    /// <summary>Returns the items as ones of another type, which all of them must be of; see <c>OfType</c> for those that are.</summary>
    public Query<TResult> Cast<TResult>() => Then($"cast to {typeof(TResult).Name}", static items => Batches.Select(items, static item => (TResult)(object)item!));

    /// <summary>Orders the items by themselves, ascending.</summary>
    public OrderedQuery<T> Order() => OrderBy(static item => item);

    /// <summary>Orders the items by themselves, descending.</summary>
    public OrderedQuery<T> OrderDescending() => OrderByDescending(static item => item);

    /// <summary>Orders the items by a key as a comparer says, ascending, in memory.</summary>
    public OrderedQuery<T> OrderBy<TKey>(Expression<Func<T, TKey>> keySelector, IComparer<TKey>? comparer) =>
        comparer is null ? OrderBy(keySelector) : OrderByCore([new ComparerOrdering<T, TKey>(keySelector, comparer, isDescending: false, Expressions)]);

    /// <summary>Orders the items by a key as a comparer says, descending, in memory.</summary>
    public OrderedQuery<T> OrderByDescending<TKey>(Expression<Func<T, TKey>> keySelector, IComparer<TKey>? comparer) =>
        comparer is null ? OrderByDescending(keySelector) : OrderByCore([new ComparerOrdering<T, TKey>(keySelector, comparer, isDescending: true, Expressions)]);
}
