using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Datacake.Data.Querying.Planning;

/// <summary>A cache of values for the shapes of queries, which takes no more values once it is full. Thread-safe.</summary>
/// <remarks>
/// An application has a limited number of different queries. If it generates more at run time, values beyond the capacity are not cached
/// and are created again for each use.
/// </remarks>
sealed class BoundedCache<TKey, TValue>
    where TKey : notnull
{
    const int Capacity = 4_096;

    readonly ConcurrentDictionary<TKey, TValue> _values = new();

    public int Count => _values.Count;

    public bool TryGet(TKey key, [MaybeNullWhen(false)] out TValue value) => _values.TryGetValue(key, out value);

    public void Add(TKey key, TValue value)
    {
        if (_values.Count < Capacity)
            _values.TryAdd(key, value);
    }
}
