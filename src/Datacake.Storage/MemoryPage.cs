using System.Collections;

namespace Datacake.Storage;

/// <summary>A page of a scan. It refers to the entries of the tree, which takes a quarter of the memory that a list of them would.</summary>
sealed class MemoryPage : IReadOnlyList<StorageEntry>
{
    const int FirstCapacity = 16;

    readonly int _maxEntries;
    MemoryEntry[] _entries = [];

    /// <summary>An empty page with room for so many entries.</summary>
    public MemoryPage(int maxEntries) => _maxEntries = maxEntries;

    public int Count { get; private set; }

    public bool IsFull => Count == _maxEntries;

    public StorageEntry this[int index] => _entries.AsSpan(0, Count)[index].ToStorageEntry();

    public void Add(MemoryEntry entry)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, Math.Min(_maxEntries, Math.Max(FirstCapacity, 4 * Count)));
        _entries[Count++] = entry;
    }

    public IEnumerator<StorageEntry> GetEnumerator()
    {
        for (int i = 0; i < Count; i++)
            yield return _entries[i].ToStorageEntry();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
