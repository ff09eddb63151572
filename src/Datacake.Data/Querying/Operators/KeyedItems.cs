namespace Datacake.Data.Querying.Operators;

/// <summary>
/// A collection of items by keys of any type. Items with the same key keep the order in which they were added. Items without a key are left
/// out.
/// </summary>
sealed class KeyedItems<TKey, T>
{
    readonly Dictionary<ValueTuple<TKey>, List<T>> _items = [];

    /// <summary>Adds a key, even if it will have no items.</summary>
    /// <returns>True if the key is new.</returns>
    public bool TryAddKey(TKey key) => _items.TryAdd(new(key), []);

    public void Add(TKey key, T item)
    {
        if (key is null)
            return;
        if (!_items.TryGetValue(new(key), out var items))
            _items.Add(new(key), items = []);
        items.Add(item);
    }

    public IReadOnlyList<T> this[TKey key] => key is not null && _items.TryGetValue(new(key), out var items) ? items : [];
}
