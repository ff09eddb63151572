using System.Linq.Expressions;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Expressions;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Operators;
using Datacake.Data.Querying.Planning;
using Datacake.Data.Querying.Related;

namespace Datacake.Data.Querying;

/// <summary>A key that a query orders by, and its direction.</summary>
abstract class Ordering<T>(bool isDescending)
{
    public bool IsDescending { get; } = isDescending;

    public abstract LambdaExpression KeySelector { get; }

    public abstract IOrderedEnumerable<TRow> OrderBy<TRow>(IEnumerable<TRow> rows, Func<TRow, T> item);

    public abstract IOrderedEnumerable<TRow> ThenBy<TRow>(IOrderedEnumerable<TRow> rows, Func<TRow, T> item);

    /// <summary>Returns the key of an item, followed by those of the later orderings.</summary>
    public abstract SortKey KeyOf(T item, SortKey? next);

    /// <summary>Returns the comparison of documents by this key, without their entities; null if there is none.</summary>
    public virtual StoredOrder? StoredIn<TEntity>(EntityModel<TEntity> model)
        where TEntity : class => null;

    /// <summary>Returns true if two items compare equal by this key.</summary>
    public abstract bool AreEqual(T a, T b);

    /// <summary>Returns the same ordering over a base class of the items.</summary>
    public abstract Ordering<TEntity> Of<TEntity>();

    /// <summary>
    /// Returns the ordering bound to loaded related entities. Items whose related entity is missing sort before all others, as null does.
    /// </summary>
    public abstract IEnumerable<Ordering<T>> Bind(NavigationRoots roots);

    /// <summary>Returns the same ordering over the items of another query; null if the key cannot be expressed with these items.</summary>
    public abstract Ordering<TOther>? Through<TOther>(Func<ItemExpression, ItemExpression?> through);

    /// <summary>Returns the ordering in the opposite direction.</summary>
    public abstract Ordering<T> Reversed();

    public virtual OrderingColumn ToColumn() => new(PropertyPath.Of(KeySelector.Body, KeySelector.Parameters[0]), IsDescending);

    public override string ToString() => $"{ToColumn().Property ?? ExpressionText.Of(KeySelector)}{Direction}";

    /// <summary>Returns the ordering as text, without the values in its key.</summary>
    public string ToShape() => $"{ToColumn().Property ?? ExpressionText.ShapeOf(KeySelector)}{Direction}";

    string Direction => IsDescending ? " descending" : "";

    /// <summary>Sorts rows by several keys. The sort is stable.</summary>
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
    Func<T, TKey>? _key;    // compiled on first use, because the access path often provides the order

    /// <exception cref="InvalidOperationException">The keys cannot be compared.</exception>
    public override LambdaExpression KeySelector { get; } = QueryComparer<TKey>.HasOrder ? keySelector : throw QueryComparer<TKey>.NoOrder(keySelector);

    public override IOrderedEnumerable<TRow> OrderBy<TRow>(IEnumerable<TRow> rows, Func<TRow, T> item)
    {
        var key = Key;
        return IsDescending ? rows.OrderByDescending(row => key(item(row)), QueryComparer<TKey>.Instance) : rows.OrderBy(row => key(item(row)), QueryComparer<TKey>.Instance);
    }

    public override IOrderedEnumerable<TRow> ThenBy<TRow>(IOrderedEnumerable<TRow> rows, Func<TRow, T> item)
    {
        var key = Key;
        return IsDescending ? rows.ThenByDescending(row => key(item(row)), QueryComparer<TKey>.Instance) : rows.ThenBy(row => key(item(row)), QueryComparer<TKey>.Instance);
    }

    public override Ordering<TEntity> Of<TEntity>() =>
        new Ordering<TEntity, TKey>(ParameterReplacement.Cast<TEntity, T, TKey>(keySelector), IsDescending, expressions);

    public override IEnumerable<Ordering<T>> Bind(NavigationRoots roots)
    {
        var key = NavigationBinder.BindKey(roots, OrdinalNormalizer.Normalize(keySelector), out var isThere);
        if (isThere is not null)
            yield return new Ordering<T, bool>(isThere, IsDescending, expressions);
        yield return new Ordering<T, TKey>(key, IsDescending, expressions);
    }

    public override Ordering<TOther>? Through<TOther>(Func<ItemExpression, ItemExpression?> through) => through(ItemExpression.Of(OrdinalNormalizer.Normalize(keySelector))) is { } use
        ? new Ordering<TOther, TKey>(use.ToLambda<TOther, TKey>(), IsDescending, expressions)
        : null;

    public override Ordering<T> Reversed() => new Ordering<T, TKey>(keySelector, !IsDescending, expressions);

    public override StoredOrder? StoredIn<TEntity>(EntityModel<TEntity> model)
        where TEntity : class =>
        keySelector is Expression<Func<TEntity, TKey>> selector && QueryComparer<TKey>.IsOrdered && StoredValue<TEntity, TKey>.Of(model, selector) is { } key
            ? new StoredOrder<TEntity, TKey>(key, IsDescending)
            : null;

    public override SortKey KeyOf(T item, SortKey? next) => new SortKey<TKey>(Key(item), QueryComparer<TKey>.Instance, IsDescending, next);

    public override bool AreEqual(T a, T b) => QueryComparer<TKey>.Instance.Compare(Key(a), Key(b)) == 0;

    Func<T, TKey> Key => _key ??= QueryComparer<TKey>.IsOrdered ? Compiled : Checked(Compiled);

    Func<T, TKey> Compiled => expressions.Compile(StoredEqualityNormalizer.Normalize(OrdinalNormalizer.Normalize(keySelector), expressions.Entity, context: null));

    // Whether objects can be compared is not known before their values are.
    Func<T, TKey> Checked(Func<T, TKey> key) => item => key(item) is var value && value is null or IComparable or IComparable<TKey>
        ? value
        : throw QueryComparer<TKey>.NoOrder(keySelector);
}

/// <summary>
/// The order of values in queries: the default order of the type, except that strings compare ordinally, so that the order is the same on
/// every machine.
/// </summary>
static class QueryComparer<T>
{
    public static IComparer<T> Instance { get; } = typeof(T) == typeof(string)
        ? (IComparer<T>)(object)StringComparer.Ordinal
        : typeof(T).IsAssignableFrom(typeof(string)) ? new OrdinalComparer<T>()
        : Comparer<T>.Default;

    /// <summary>True if all values of the type can be compared.</summary>
    public static bool IsOrdered { get; } = typeof(T).IsAssignableTo(typeof(IComparable)) || typeof(T).IsAssignableTo(typeof(IComparable<T>))
        || Nullable.GetUnderlyingType(typeof(T))?.IsAssignableTo(typeof(IComparable)) == true;

    /// <summary>False if no values of the type can be compared; those of a class that others derive from, or of a nullable, may be.</summary>
    public static bool HasOrder { get; } = IsOrdered || !typeof(T).IsSealed || Nullable.GetUnderlyingType(typeof(T)) is not null;

    public static InvalidOperationException NoOrder(LambdaExpression key) => new(
        $"The query cannot be ordered by '{ExpressionText.Of(key.Body)}', because {ExpressionText.NameOf(typeof(T))} has no order. "
            + "Order by a property that has one, or implement IComparable<T> in the type.");
}

/// <summary>
/// A comparer that compares strings ordinally even if their static type is object or an interface, and all other values by their default
/// order.
/// </summary>
sealed class OrdinalComparer<T> : IComparer<T>
{
    public int Compare(T? x, T? y) => x is string a && y is string b ? string.CompareOrdinal(a, b) : Comparer<T>.Default.Compare(x, y);
}
