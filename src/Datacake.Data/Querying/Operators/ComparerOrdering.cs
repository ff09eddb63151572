using System.Linq.Expressions;
using Datacake.Data.Expressions;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Planning;
using Datacake.Data.Querying.Related;

namespace Datacake.Data.Querying.Operators;

/// <summary>A key that a query orders by with a comparer, an order that no index provides.</summary>
sealed class ComparerOrdering<T, TKey>(Expression<Func<T, TKey>> keySelector, IComparer<TKey> comparer, bool isDescending, CompiledExpressions expressions)
    : Ordering<T>(isDescending)
{
    Func<T, TKey>? _key;

    public override LambdaExpression KeySelector => keySelector;

    public override OrderingColumn ToColumn() => new(null, IsDescending);

    public override IOrderedEnumerable<TRow> OrderBy<TRow>(IEnumerable<TRow> rows, Func<TRow, T> item)
    {
        var key = Key;
        return IsDescending ? rows.OrderByDescending(row => key(item(row)), comparer) : rows.OrderBy(row => key(item(row)), comparer);
    }

    public override IOrderedEnumerable<TRow> ThenBy<TRow>(IOrderedEnumerable<TRow> rows, Func<TRow, T> item)
    {
        var key = Key;
        return IsDescending ? rows.ThenByDescending(row => key(item(row)), comparer) : rows.ThenBy(row => key(item(row)), comparer);
    }

    public override SortKey KeyOf(T item, SortKey? next) => new SortKey<TKey>(Key(item), comparer, IsDescending, next);

    public override bool AreEqual(T a, T b) => comparer.Compare(Key(a), Key(b)) == 0;

    public override Ordering<TEntity> Of<TEntity>() =>
        new ComparerOrdering<TEntity, TKey>(ParameterReplacement.Cast<TEntity, T, TKey>(keySelector), comparer, IsDescending, expressions);

    public override Ordering<TOther>? Through<TOther>(Func<ItemExpression, ItemExpression?> through) => through(ItemExpression.Of(OrdinalNormalizer.Normalize(keySelector))) is { } use
        ? new ComparerOrdering<TOther, TKey>(use.ToLambda<TOther, TKey>(), comparer, IsDescending, expressions)
        : null;

    public override IEnumerable<Ordering<T>> Bind(NavigationRoots roots)
    {
        var key = NavigationBinder.BindKey(roots, OrdinalNormalizer.Normalize(keySelector), out var isThere);
        if (isThere is not null)
            yield return new Ordering<T, bool>(isThere, IsDescending, expressions);
        yield return new ComparerOrdering<T, TKey>(key, comparer, IsDescending, expressions);
    }

    public override Ordering<T> Reversed() => new ComparerOrdering<T, TKey>(keySelector, comparer, !IsDescending, expressions);

    Func<T, TKey> Key => _key ??= expressions.Compile(StoredEqualityNormalizer.Normalize(OrdinalNormalizer.Normalize(keySelector), expressions.Entity, context: null));
}
