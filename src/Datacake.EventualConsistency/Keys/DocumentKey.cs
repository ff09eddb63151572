using System.Buffers.Binary;

namespace Datacake.EventualConsistency;

/// <summary>
/// The key of a document within its keyspace: a 64-bit integer, a string, a <see cref="Guid"/>, bytes, or a composite of these written by
/// an <see cref="OrderedKeyWriter"/>. Keys compare as their values do: <c>2</c> comes before <c>10</c>.
/// </summary>
public readonly struct DocumentKey : IEquatable<DocumentKey>, IComparable<DocumentKey>
{
    /// <summary>The maximum length of an encoded key, in bytes.</summary>
    public const int MaxLength = 240;

    /// <summary>Wraps an encoded key.</summary>
    /// <exception cref="ArgumentException">The key is empty or longer than <see cref="MaxLength"/>.</exception>
    public DocumentKey(ReadOnlyMemory<byte> encoded)
    {
        if (encoded.Length is 0 or > MaxLength)
            throw new ArgumentException($"The encoded key has {encoded.Length} bytes. Use a key of 1 to {MaxLength} bytes.", nameof(encoded));
        Encoded = encoded;
    }

    /// <summary>Gets the encoded key.</summary>
    public ReadOnlyMemory<byte> Encoded { get; }

    /// <summary>Creates a key from an integer.</summary>
    public static DocumentKey Of(long key)
    {
        var encoded = new byte[9];
        encoded[0] = OrderedKeyWriter.Int64Tag;
        BinaryPrimitives.WriteInt64BigEndian(encoded.AsSpan(1), key ^ long.MinValue);
        return new(encoded);
    }

    /// <summary>Creates a key from an unsigned integer.</summary>
    public static DocumentKey Of(ulong key)
    {
        var writer = new OrderedKeyWriter(9);
        writer.Write(key);
        return new(writer.ToArray());
    }

    /// <summary>Creates a key from a string.</summary>
    /// <exception cref="ArgumentException">The string is too long, or contains half of a surrogate pair.</exception>
    public static DocumentKey Of(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var writer = new OrderedKeyWriter(key.Length + 8);
        writer.Write(key);
        return new(writer.ToArray());
    }

    /// <summary>Creates a key from a <see cref="Guid"/>.</summary>
    public static DocumentKey Of(Guid key)
    {
        var writer = new OrderedKeyWriter(17);
        writer.Write(key);
        return new(writer.ToArray());
    }

    /// <summary>Creates a key from bytes.</summary>
    /// <exception cref="ArgumentException">There are too many bytes.</exception>
    public static DocumentKey Of(ReadOnlySpan<byte> key)
    {
        var writer = new OrderedKeyWriter(key.Length + 8);
        writer.Write(key);
        return new(writer.ToArray());
    }

    /// <summary>Creates a key from an integer.</summary>
    public static implicit operator DocumentKey(long key) => Of(key);

    /// <summary>Creates a key from a string.</summary>
    public static implicit operator DocumentKey(string key) => Of(key);

    /// <summary>Creates a key from a <see cref="Guid"/>.</summary>
    public static implicit operator DocumentKey(Guid key) => Of(key);

    /// <summary>Creates a key from bytes.</summary>
    public static implicit operator DocumentKey(byte[] key) => Of(key.AsSpan());

    /// <inheritdoc/>
    public bool Equals(DocumentKey other) => Encoded.Span.SequenceEqual(other.Encoded.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is DocumentKey key && Equals(key);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Encoded.Span);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public int CompareTo(DocumentKey other) => Encoded.Span.SequenceCompareTo(other.Encoded.Span);

    /// <summary>Returns true if two keys are equal.</summary>
    public static bool operator ==(DocumentKey left, DocumentKey right) => left.Equals(right);

    /// <summary>Returns true if two keys differ.</summary>
    public static bool operator !=(DocumentKey left, DocumentKey right) => !left.Equals(right);

    /// <summary>Returns true if one key comes before another.</summary>
    public static bool operator <(DocumentKey left, DocumentKey right) => left.CompareTo(right) < 0;

    /// <summary>Returns true if one key comes after another.</summary>
    public static bool operator >(DocumentKey left, DocumentKey right) => left.CompareTo(right) > 0;

    /// <summary>Returns true if one key comes before another or equals it.</summary>
    public static bool operator <=(DocumentKey left, DocumentKey right) => left.CompareTo(right) <= 0;

    /// <summary>Returns true if one key comes after another or equals it.</summary>
    public static bool operator >=(DocumentKey left, DocumentKey right) => left.CompareTo(right) >= 0;

    /// <summary>Returns the values of the key as text: <c>1</c>, <c>'cake'</c>, or <c>('eu', 7)</c>.</summary>
    public override string ToString() => OrderedKeyReader.Describe(Encoded.Span);
}
