namespace Datacake.Data.Querying;

/// <summary>The values of an item by which a query orders, computed once. Immutable.</summary>
abstract class SortKey
{
    /// <summary>Returns the key of an item; null if there are no orderings and there is no last key.</summary>
    public static SortKey? Of<T>(T item, IReadOnlyList<Ordering<T>> orderings, SortKey? last)
    {
        for (int i = orderings.Count - 1; i >= 0; i--)
            last = orderings[i].KeyOf(item, last);
        return last;
    }

    /// <summary>Compares the key with the key of another item by the same orderings.</summary>
    public abstract int CompareTo(SortKey other);
}

/// <summary>The first of the values by which a query orders, followed by the others.</summary>
sealed class SortKey<TKey>(TKey value, IComparer<TKey> comparer, bool isDescending, SortKey? next) : SortKey
{
    public override int CompareTo(SortKey other)
    {
        var same = (SortKey<TKey>)other;
        int order = comparer.Compare(value, same.Value);
        if (order != 0)
            return order > 0 != isDescending ? 1 : -1;
        return next?.CompareTo(same.Next!) ?? 0;
    }

    public TKey Value => value;

    SortKey? Next => next;
}
