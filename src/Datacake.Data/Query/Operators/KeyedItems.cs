namespace Datacake.Data.Querying;

/// <summary>Items by keys, which may be of any type; those of one key in the order in which they were added. No item has the key null.</summary>
sealed class KeyedItems<TKey, T>
{
    readonly Dictionary<ValueTuple<TKey>, List<T>> _items = [];

    /// <summary>Takes note of a key, also if there will be no items of it.</summary>
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
