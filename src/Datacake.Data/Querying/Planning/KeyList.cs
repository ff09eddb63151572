using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying.Planning;

/// <summary>A list of document keys. The keys of an index page share one block of memory.</summary>
sealed class KeyList
{
    DocumentKey[] _keys = [];
    int _count;

    public void Add(DocumentKey key)
    {
        Reserve(1);
        _keys[_count++] = key;
    }

    /// <summary>Adds the keys of an index page.</summary>
    /// <param name="page">The page.</param>
    /// <param name="isSought">Selects the entries to add, by their position in the page.</param>
    public void Add(IndexPage page, Predicate<int> isSought)
    {
        Reserve(page.Count);
        int length = 0;
        for (int i = 0; i < page.Count; i++)
            length += page.KeyOf(i).Length;
        var all = new byte[length];
        for (int i = 0, start = 0; i < page.Count; i++)
        {
            if (!isSought(i))
                continue;
            var key = page.KeyOf(i);
            key.CopyTo(all.AsSpan(start));
            _keys[_count++] = new DocumentKey(all.AsMemory(start, key.Length));
            start += key.Length;
        }
    }

    /// <summary>Adds the keys of some entries of an index page, in a given order.</summary>
    /// <param name="page">The page.</param>
    /// <param name="entries">The entries to add, by their position in the page.</param>
    public void Add(IndexPage page, List<int> entries)
    {
        Reserve(entries.Count);
        int length = 0;
        foreach (int entry in entries)
            length += page.KeyOf(entry).Length;
        var all = new byte[length];
        int start = 0;
        foreach (int entry in entries)
        {
            var key = page.KeyOf(entry);
            key.CopyTo(all.AsSpan(start));
            _keys[_count++] = new DocumentKey(all.AsMemory(start, key.Length));
            start += key.Length;
        }
    }

    /// <summary>Returns the keys in the order in which they were added.</summary>
    public ArraySegment<DocumentKey> ToSegment() => new(_keys, 0, _count);

    /// <summary>Returns the keys in ascending order, without duplicates.</summary>
    public ArraySegment<DocumentKey> ToAscending()
    {
        var keys = _keys.AsSpan(0, _count);
        // The keys that an index holds under one value are already in ascending order.
        if (!IsAscending(keys))
        {
            keys.Sort();
            int distinct = 1;
            for (int i = 1; i < keys.Length; i++)
            {
                if (keys[i] != keys[distinct - 1])
                    keys[distinct++] = keys[i];
            }
            _count = distinct;
        }
        return ToSegment();
    }

    static bool IsAscending(ReadOnlySpan<DocumentKey> keys)
    {
        for (int i = 1; i < keys.Length; i++)
        {
            if (keys[i] <= keys[i - 1])
                return false;
        }
        return true;
    }

    void Reserve(int more)
    {
        if (_keys.Length < _count + more)
            Array.Resize(ref _keys, Math.Max(_count + more, 2 * _keys.Length));
    }
}
