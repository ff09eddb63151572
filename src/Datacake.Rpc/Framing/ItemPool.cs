using System.Collections.Concurrent;

namespace Datacake.Rpc.Framing;

/// <summary>A pool that keeps up to <paramref name="capacity"/> objects for reuse. Thread-safe.</summary>
sealed class ItemPool<T>(int capacity, Func<T> create)
    where T : class
{
    readonly ConcurrentQueue<T> _items = new();
    int _count;
    T? _hot;            // Avoids the queue when a thread rents the object that it has just returned.

    public T Rent()
    {
        var item = _hot;
        if (item is not null && Interlocked.CompareExchange(ref _hot, null, item) == item)
            return item;
        if (!_items.TryDequeue(out item))
            return create();
        Interlocked.Decrement(ref _count);
        return item;
    }

    public void Return(T item)
    {
        if (_hot is null && Interlocked.CompareExchange(ref _hot, item, null) is null)
            return;
        if (Interlocked.Increment(ref _count) <= capacity)
            _items.Enqueue(item);
        else
            Interlocked.Decrement(ref _count);
    }
}
