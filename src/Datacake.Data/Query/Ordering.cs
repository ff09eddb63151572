using System.Linq.Expressions;

namespace Datacake.Data.Querying;

/// <summary>One of the keys that a query orders by.</summary>
abstract class Ordering<T>(bool isDescending)
{
    public bool IsDescending { get; } = isDescending;

    public abstract LambdaExpression KeySelector { get; }

    public abstract IOrderedEnumerable<TRow> OrderBy<TRow>(IEnumerable<TRow> rows, Func<TRow, T> item);

    public abstract IOrderedEnumerable<TRow> ThenBy<TRow>(IOrderedEnumerable<TRow> rows, Func<TRow, T> item);

    /// <summary>Whether two items are equal in this key.</summary>
    public abstract bool AreEqual(T a, T b);

    /// <summary>The same for entities of the class that the items are of a derived class of.</summary>
    public abstract Ordering<TEntity> Of<TEntity>();

    /// <summary>The same with what is loaded of related entities: those without a value first.</summary>
    public abstract IEnumerable<Ordering<T>> Bind(RelatedNode root);

    public OrderingColumn ToColumn() => new(PropertyPath.Of(KeySelector.Body, KeySelector.Parameters[0]), IsDescending);

    public override string ToString() => $"{ToColumn().Property ?? KeySelector.ToString()}{(IsDescending ? " descending" : "")}";

    /// <summary>Sorts stably by several keys.</summary>
    public static IEnumerable<TRow> Sort<TRow>(IEnumerable<TRow> rows, IReadOnlyList<Ordering<T>> orderings, Func<TRow, T> item)
    {
        if (orderings.Count == 0)
            return rows;
        var sorted = orderings[0].OrderBy(rows, item);
        foreach (var ordering in orderings.Skip(1))
            sorted = ordering.ThenBy(sorted, item);
        return sorted;
    }
}

sealed class Ordering<T, TKey>(Expression<Func<T, TKey>> keySelector, bool isDescending, CompiledExpressions expressions)
    : Ordering<T>(isDescending)
{
    Func<T, TKey>? _key;    // compiled when it is first needed: the path often has the order

    public override LambdaExpression KeySelector => keySelector;

    public override IOrderedEnumerable<TRow> OrderBy<TRow>(IEnumerable<TRow> rows, Func<TRow, T> item)
    {
        var key = Key;
        return IsDescending
            ? rows.OrderByDescending(row => key(item(row)), QueryComparer<TKey>.Instance)
            : rows.OrderBy(row => key(item(row)), QueryComparer<TKey>.Instance);
    }

    public override IOrderedEnumerable<TRow> ThenBy<TRow>(IOrderedEnumerable<TRow> rows, Func<TRow, T> item)
    {
        var key = Key;
        return IsDescending
            ? rows.ThenByDescending(row => key(item(row)), QueryComparer<TKey>.Instance)
            : rows.ThenBy(row => key(item(row)), QueryComparer<TKey>.Instance);
    }

    public override Ordering<TEntity> Of<TEntity>() =>
        new Ordering<TEntity, TKey>(ParameterReplacement.Cast<TEntity, T, TKey>(keySelector), IsDescending, expressions);

    public override IEnumerable<Ordering<T>> Bind(RelatedNode root)
    {
        var key = NavigationBinder.BindKey(root, OrdinalNormalizer.Normalize(keySelector), out var isThere);
        if (isThere is not null)
            yield return new Ordering<T, bool>(isThere, IsDescending, expressions);
        yield return new Ordering<T, TKey>(key, IsDescending, expressions);
    }

    public override bool AreEqual(T a, T b) => QueryComparer<TKey>.Instance.Compare(Key(a), Key(b)) == 0;

    Func<T, TKey> Key => _key ??= expressions.Compile(StoredEqualityNormalizer.Normalize(OrdinalNormalizer.Normalize(keySelector), expressions.Entity, context: null));
}

/// <summary>The order of values in queries: the type's own, and for strings the ordinal one, the same on every machine.</summary>
static class QueryComparer<T>
{
    public static IComparer<T> Instance { get; } = typeof(T) == typeof(string)
        ? (IComparer<T>)(object)StringComparer.Ordinal
        : typeof(T).IsAssignableFrom(typeof(string)) ? new OrdinalComparer<T>()
        : Comparer<T>.Default;
}

/// <summary>Compares strings that a query has as objects or as what else they are, ordinally, and all else as it compares itself.</summary>
sealed class OrdinalComparer<T> : IComparer<T>
{
    public int Compare(T? x, T? y) => x is string a && y is string b ? string.CompareOrdinal(a, b) : Comparer<T>.Default.Compare(x, y);
}
