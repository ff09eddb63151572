using System.Collections;
using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>
/// A page of a scan, copied out of the map. Small entries share chunks of memory, and the page stores only their locations. With one array
/// per entry, long scans would take a third longer.
/// </summary>
sealed class PageOfCopies : IReadOnlyList<StorageEntry>
{
    // Limits the size of a page that contains large values.
    public const int MaxPageBytes = 4 * 1024 * 1024;

    // A reference to one small entry keeps its whole chunk alive, so chunks are small.
    const int ChunkBytes = 4096;
    const int MaxSharingBytes = ChunkBytes / 8;

    const int FirstCapacity = 16;

    readonly int _maxEntries;
    Place[] _places = [];
    byte[] _chunk = [];
    int _used;
    int _bytes;

    /// <summary>Creates an empty page for at most <paramref name="maxEntries"/> entries.</summary>
    public PageOfCopies(int maxEntries) => _maxEntries = maxEntries;

    public int Count { get; private set; }

    public bool IsFull => Count == _maxEntries || _bytes >= MaxPageBytes;

    public StorageEntry this[int index] => _places.AsSpan(0, Count)[index].Entry;

    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        int length = key.Length + value.Length;
        (byte[] chunk, int start) = Take(length);
        Span<byte> copy = chunk.AsSpan(start, length);
        key.CopyTo(copy);
        value.CopyTo(copy[key.Length..]);
        if (Count == _places.Length)
            Array.Resize(ref _places, Math.Min(_maxEntries, Math.Max(FirstCapacity, 4 * Count)));
        _places[Count++] = new Place(chunk, start, key.Length, value.Length);
        _bytes += length;
    }

    public IEnumerator<StorageEntry> GetEnumerator() => new Enumerator(this);

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    (byte[] Chunk, int Start) Take(int length)
    {
        if (length > MaxSharingBytes)
            return (GC.AllocateUninitializedArray<byte>(length), 0);
        if (_chunk.Length - _used < length)
        {
            _chunk = GC.AllocateUninitializedArray<byte>(ChunkBytes);
            _used = 0;
        }
        _used += length;
        return (_chunk, _used - length);
    }

    /// <summary>An enumerator that creates each entry on access. An iterator method would store each one in a field first.</summary>
    sealed class Enumerator(PageOfCopies page) : IEnumerator<StorageEntry>
    {
        int _index = -1;

        public StorageEntry Current => page._places[_index].Entry;

        object IEnumerator.Current => Current;

        public bool MoveNext() => ++_index < page.Count;

        public void Reset() => _index = -1;

        public void Dispose() { }
    }

    readonly struct Place(byte[] chunk, int start, int keyLength, int valueLength)
    {
        public StorageEntry Entry => new(chunk.AsMemory(start, keyLength), chunk.AsMemory(start + keyLength, valueLength));
    }
}
