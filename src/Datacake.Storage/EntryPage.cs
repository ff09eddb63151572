using System.Buffers;

namespace Datacake.Storage;

/// <summary>
/// A reusable buffer for entries that are read from a store. A scan of any length needs only the memory of one page. The spans that a page
/// returns are valid until the page is cleared or disposed. Not thread-safe.
/// </summary>
public sealed class EntryPage : IDisposable
{
    const int FirstBytes = 16 * 1024, FirstEntries = 64;

    byte[] _bytes = [];     // Rented. The keys and values, each value after its key.
    int[] _ends = [];       // Rented. For each entry, the end of its key and the end of its value.
    int _trimmed;           // The number of bytes hidden at the end of each value.

    /// <summary>Gets the number of entries.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the total length of all keys and values, in bytes. Trimmed bytes are included.</summary>
    public int Length => EndOf(Count - 1);

    /// <summary>Returns the key of an entry.</summary>
    /// <param name="entry">The zero-based index of the entry.</param>
    /// <exception cref="ArgumentOutOfRangeException">The page has no entry with this index.</exception>
    public ReadOnlySpan<byte> KeyOf(int entry)
    {
        CheckIndex(entry);
        int start = EndOf(entry - 1);
        return _bytes.AsSpan(start, _ends[2 * entry] - start);
    }

    /// <summary>Returns the value of an entry, without its trimmed bytes.</summary>
    /// <param name="entry">The zero-based index of the entry.</param>
    /// <exception cref="ArgumentOutOfRangeException">The page has no entry with this index.</exception>
    public ReadOnlySpan<byte> ValueOf(int entry)
    {
        CheckIndex(entry);
        int start = _ends[2 * entry];
        return _bytes.AsSpan(start, _ends[(2 * entry) + 1] - _trimmed - start);
    }

    /// <summary>Adds a copy of an entry.</summary>
    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        int start = Length, keyEnd = start + key.Length, end = checked(keyEnd + value.Length);
        if (_bytes.Length < end)
            Grow(ref _bytes, Math.Max(end, FirstBytes), start);
        if (_ends.Length < 2 * (Count + 1))
            Grow(ref _ends, Math.Max(4 * Count, 2 * FirstEntries), 2 * Count);
        key.CopyTo(_bytes.AsSpan(start));
        value.CopyTo(_bytes.AsSpan(keyEnd));
        _ends[2 * Count] = keyEnd;
        _ends[(2 * Count) + 1] = end;
        Count++;
    }

    /// <summary>Adds copies of entries that are adjacent in memory.</summary>
    /// <param name="bytes">The keys and values, each value after its key.</param>
    /// <param name="ends">For each entry, the end of its key in <paramref name="bytes"/>, and then the end of its value.</param>
    /// <exception cref="ArgumentException">The ends are not in ascending order, or do not cover the bytes.</exception>
    public void AddAll(ReadOnlySpan<byte> bytes, ReadOnlySpan<int> ends)
    {
        if (ends.Length % 2 != 0 || (ends.IsEmpty ? 0 : ends[^1]) != bytes.Length)
            throw new ArgumentException("The ends do not cover the bytes. Pass two ends for each entry, the last of which is the length of the bytes.", nameof(ends));
        int start = Length, end = checked(start + bytes.Length), count = ends.Length / 2;
        if (_bytes.Length < end)
            Grow(ref _bytes, Math.Max(end, FirstBytes), start);
        if (_ends.Length < 2 * (Count + count))
            Grow(ref _ends, Math.Max(2 * (Count + count), 2 * FirstEntries), 2 * Count);
        bytes.CopyTo(_bytes.AsSpan(start));
        var added = _ends.AsSpan(2 * Count, ends.Length);
        for (int i = 0, last = 0; i < ends.Length; last = ends[i++])
        {
            if (ends[i] < last)
                throw new ArgumentException("The ends are not in ascending order.", nameof(ends));
            added[i] = start + ends[i];
        }
        Count += count;
    }

    /// <summary>
    /// Hides the last bytes of every value until the page is cleared. A layer that appends something to each value, such as a checksum, uses
    /// this method to strip it again.
    /// </summary>
    /// <param name="length">The number of bytes to hide, in addition to those already hidden.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// A value is shorter than <paramref name="length"/>, or the length is negative.
    /// </exception>
    public void TrimValues(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        for (int end = 1; end < 2 * Count; end += 2)
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _ends[end] - _ends[end - 1] - _trimmed);
        _trimmed += length;
    }

    /// <summary>Removes all entries, so that the page can be reused.</summary>
    public void Clear() => (Count, _trimmed) = (0, 0);

    /// <summary>Returns the memory to the pool.</summary>
    public void Dispose()
    {
        Clear();
        Return(ref _bytes);
        Return(ref _ends);
    }

    int EndOf(int entry) => entry < 0 ? 0 : _ends[(2 * entry) + 1];

    void CheckIndex(int entry)
    {
        if ((uint)entry >= (uint)Count)
            throw new ArgumentOutOfRangeException(nameof(entry), entry, $"The page has {Count} entries.");
    }

    static void Grow<T>(ref T[] array, int minLength, int used)
    {
        var larger = ArrayPool<T>.Shared.Rent((int)Math.Min(Math.Max(minLength, 2L * array.Length), Array.MaxLength));
        array.AsSpan(0, used).CopyTo(larger);
        Return(ref array);
        array = larger;
    }

    static void Return<T>(ref T[] array)
    {
        if (array.Length > 0)
            ArrayPool<T>.Shared.Return(array);
        array = [];
    }
}
