namespace Datacake.Storage;

/// <summary>
/// The keys from <see cref="Start"/> (included) up to <see cref="End"/> (excluded; <see langword="null"/>: no upper bound).
/// </summary>
public readonly record struct KeyRange(ReadOnlyMemory<byte> Start, ReadOnlyMemory<byte>? End)
{
    /// <summary>Every key.</summary>
    public static KeyRange All => default;

    /// <summary>The keys that start with <paramref name="prefix"/>.</summary>
    public static KeyRange WithPrefix(ReadOnlyMemory<byte> prefix) => new(prefix, Successor(prefix.Span));

    /// <summary>The keys of this range above <paramref name="key"/>: where a forward scan goes on.</summary>
    public KeyRange After(ReadOnlyMemory<byte> key)
    {
        // The least key above another is that key with a zero byte appended.
        var next = new byte[key.Length + 1];
        key.Span.CopyTo(next);
        return this with { Start = next };
    }

    /// <summary>The keys of this range below <paramref name="key"/>: where a reverse scan goes on.</summary>
    public KeyRange Before(ReadOnlyMemory<byte> key) => this with { End = key };

    /// <summary>Whether the range holds a key.</summary>
    public bool Contains(ReadOnlySpan<byte> key) =>
        key.SequenceCompareTo(Start.Span) >= 0 && (End is not { } end || key.SequenceCompareTo(end.Span) < 0);

    /// <summary>Whether no key can be in the range.</summary>
    public bool IsEmpty => End is { } end && Start.Span.SequenceCompareTo(end.Span) >= 0;

    /// <summary>The least key above all that start with the prefix, or <see langword="null"/> if there is none.</summary>
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
