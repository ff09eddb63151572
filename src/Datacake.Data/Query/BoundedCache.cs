using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Datacake.Data.Querying;

/// <summary>Keeps what was made for queries of a shape, until it is full. Thread-safe.</summary>
/// <remarks>
/// An application has only so many different queries; if it makes up more at run time, what those beyond need is made each time.
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
