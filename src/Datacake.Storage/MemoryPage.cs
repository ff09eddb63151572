using System.Collections;

namespace Datacake.Storage;

/// <summary>
/// A page of a scan. It refers to the entries of the tree, which is faster than creating a <see cref="StorageEntry"/> for each.
/// </summary>
sealed class MemoryPage : IReadOnlyList<StorageEntry>
{
    const int FirstCapacity = 16;

    readonly int _maxEntries;
    MemoryEntry[] _entries = [];

    /// <summary>Creates an empty page for at most <paramref name="maxEntries"/> entries.</summary>
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

    public IEnumerator<StorageEntry> GetEnumerator() => new Enumerator(this);

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>An enumerator that creates each entry on access. An iterator method would store each one in a field first.</summary>
    sealed class Enumerator(MemoryPage page) : IEnumerator<StorageEntry>
    {
        int _index = -1;

        public StorageEntry Current => page._entries[_index].ToStorageEntry();

        object IEnumerator.Current => Current;

        public bool MoveNext() => ++_index < page.Count;

        public void Reset() => _index = -1;

        public void Dispose() { }
    }
}
