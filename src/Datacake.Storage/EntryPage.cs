using System.Buffers;

namespace Datacake.Storage;

/// <summary>
/// Entries that were read from a store, in memory that is used again for the next ones: however many are read, they need the memory of one
/// page. What it shows is valid until it is cleared or disposed. Not thread-safe.
/// </summary>
public sealed class EntryPage : IDisposable
{
    const int FirstBytes = 16 * 1024, FirstEntries = 64;

    byte[] _bytes = [];     // rented: the keys and values, each value after its key
    int[] _ends = [];       // rented: for each entry where its key ends, and where its value does
    int _trimmed;           // the bytes at the end of each value that are not shown

    /// <summary>How many entries there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many bytes their keys and values have.</summary>
    public int Length => EndOf(Count - 1);

    /// <summary>The key of an entry.</summary>
    public ReadOnlySpan<byte> KeyOf(int entry)
    {
        CheckIndex(entry);
        int start = EndOf(entry - 1);
        return _bytes.AsSpan(start, _ends[2 * entry] - start);
    }

    /// <summary>The value of an entry.</summary>
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

    /// <summary>Shows the values without their last bytes from now on, until the page is cleared: whoever has added something to each of them takes it off.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is shorter, or the length is negative.</exception>
    public void TrimValues(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        for (int end = 1; end < 2 * Count; end += 2)
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _ends[end] - _ends[end - 1] - _trimmed);
        _trimmed += length;
    }

    /// <summary>Empties the page for another use.</summary>
    public void Clear() => (Count, _trimmed) = (0, 0);

    /// <summary>Gives the memory back.</summary>
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

    static void Grow<T>(ref T[] array, int least, int used)
    {
        var larger = ArrayPool<T>.Shared.Rent((int)Math.Min(Math.Max(least, 2L * array.Length), Array.MaxLength));
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
