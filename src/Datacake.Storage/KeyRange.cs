namespace Datacake.Storage;

/// <summary>
/// A range of keys from <see cref="Start"/> (inclusive) to <see cref="End"/> (exclusive).
/// </summary>
/// <param name="Start">The inclusive lower bound. An empty key means no lower bound.</param>
/// <param name="End">The exclusive upper bound, or <see langword="null"/> for no upper bound.</param>
public readonly record struct KeyRange(ReadOnlyMemory<byte> Start, ReadOnlyMemory<byte>? End)
{
    /// <summary>Gets the range of all keys.</summary>
    public static KeyRange All => default;

    /// <summary>Returns the range of all keys that start with <paramref name="prefix"/>.</summary>
    public static KeyRange WithPrefix(ReadOnlyMemory<byte> prefix) => new(prefix, Successor(prefix.Span));

    /// <summary>Returns the part of this range above <paramref name="key"/>, where a forward scan continues.</summary>
    public KeyRange After(ReadOnlyMemory<byte> key)
    {
        // The smallest key above another is that key with a zero byte appended.
        var next = new byte[key.Length + 1];
        key.Span.CopyTo(next);
        return this with { Start = next };
    }

    /// <summary>Returns the part of this range below <paramref name="key"/>, where a reverse scan continues.</summary>
    public KeyRange Before(ReadOnlyMemory<byte> key) => this with { End = key };

    /// <summary>Determines whether the range contains a key.</summary>
    public bool Contains(ReadOnlySpan<byte> key) =>
        key.SequenceCompareTo(Start.Span) >= 0 && (End is not { } end || key.SequenceCompareTo(end.Span) < 0);

    /// <summary>Gets whether the range contains no keys.</summary>
    public bool IsEmpty => End is { } end && Start.Span.SequenceCompareTo(end.Span) >= 0;

    /// <summary>
    /// Returns the smallest key above all keys that start with the prefix, or <see langword="null"/> if there is no such key.
    /// </summary>
    static ReadOnlyMemory<byte>? Successor(ReadOnlySpan<byte> prefix)
    {
        int last = prefix.LastIndexOfAnyExcept((byte)0xFF);
        if (last < 0)
            return null;
        byte[] end = prefix[..(last + 1)].ToArray();
        end[last]++;
        return end;
    }
}
