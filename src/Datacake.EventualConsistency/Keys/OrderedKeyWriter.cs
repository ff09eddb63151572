using System.Buffers.Binary;
using System.Text;
using Datacake.EventualConsistency.Keys;

namespace Datacake.EventualConsistency;

/// <summary>
/// A writer of ordered keys for documents and indexes, including composite keys: their encoded bytes compare as their values do, one value
/// after another. Values of different types never compare equal. <see langword="null"/> comes first. Not thread-safe.
/// </summary>
/// <remarks>
/// Each value starts with a tag. Signed and unsigned 64-bit integers share one order. Strings compare by ordinal (UTF-16 code units), as
/// with <see cref="string.CompareOrdinal(string, string)"/>. Strings and bytes end with 00 01, and a zero byte within them is written as 00
/// FF.
/// </remarks>
public sealed class OrderedKeyWriter
{
    internal const byte NullTag = 0x01, FalseTag = 0x08, TrueTag = 0x09, Int64Tag = 0x10, UInt64Tag = 0x11, DoubleTag = 0x18, DecimalTag = 0x19,
        StringTag = 0x20, GuidTag = 0x28, BytesTag = 0x30;

    // UTF-8 orders the characters U+E000 to U+FFFF (first bytes EE and EF) before the supplementary characters (F0 to F4); UTF-16 orders
    // them after.
    internal const byte Utf8LeadEE = 0xEE, OrderedLeadEE = 0xFD;

    byte[] _buffer;
    int _length;

    /// <summary>Creates a writer with an initial capacity in bytes, which grows when needed.</summary>
    internal OrderedKeyWriter(int capacity = 64) => _buffer = new byte[Math.Max(capacity, 16)];

    /// <summary>Gets the number of bytes that were written.</summary>
    internal int Length => _length;

    /// <summary>Gets the bytes that were written. They are valid until the next write.</summary>
    internal ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>Removes everything after the first <paramref name="length"/> bytes.</summary>
    internal void Truncate(int length = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _length);
        _length = length;
    }

    /// <summary>Returns a copy of the bytes that were written.</summary>
    internal byte[] ToArray() => Written.ToArray();

    /// <summary>Writes a null, which comes before every value.</summary>
    internal void WriteNull() => Append(NullTag);

    /// <summary>Writes a Boolean; <see langword="false"/> comes first.</summary>
    internal void Write(bool value) => Append(value ? TrueTag : FalseTag);

    /// <summary>Writes an integer.</summary>
    internal void Write(long value)
    {
        Append(Int64Tag);
        BinaryPrimitives.WriteInt64BigEndian(Reserve(8), value ^ long.MinValue);
    }

    /// <summary>Writes an unsigned integer, which shares one order with signed integers.</summary>
    internal void Write(ulong value)
    {
        if (value <= long.MaxValue)
        {
            Write((long)value);
            return;
        }
        Append(UInt64Tag);
        BinaryPrimitives.WriteUInt64BigEndian(Reserve(8), value);
    }

    /// <summary>
    /// Writes a floating-point number, in the order of <see cref="double.CompareTo(double)"/>: NaN comes first, and negative zero equals
    /// zero.
    /// </summary>
    internal void Write(double value)
    {
        Append(DoubleTag);
        long bits = double.IsNaN(value) ? long.MinValue : BitConverter.DoubleToInt64Bits(value + 0.0);
        // The bits of a negative number grow with its magnitude, so all its bits are inverted. NaN becomes the smallest value of all.
        ulong ordered = double.IsNaN(value) ? 0 : bits < 0 ? ~(ulong)bits : (ulong)bits | 0x8000_0000_0000_0000;
        BinaryPrimitives.WriteUInt64BigEndian(Reserve(8), ordered);
    }

    /// <summary>Writes a decimal number by its value: 1.0 and 1.00 are equal.</summary>
    internal void Write(decimal value)
    {
        Append(DecimalTag);
        OrderedDecimal.Write(value, this);
    }

    /// <summary>Writes a <see cref="Guid"/>, in the order of <see cref="Guid.CompareTo(Guid)"/>.</summary>
    internal void Write(Guid value)
    {
        Append(GuidTag);
        value.TryWriteBytes(Reserve(16), bigEndian: true, out _);
    }

    /// <summary>Writes a string, in ordinal order.</summary>
    /// <exception cref="ArgumentException">The string contains half of a surrogate pair.</exception>
    internal void Write(string value)
    {
        Append(StringTag);
        WriteStringPart(value);
        Append(0x00);
        Append(0x01);
    }

    /// <summary>Writes the beginning of a string: the bytes that all strings with the prefix <paramref name="prefix"/> share.</summary>
    /// <exception cref="ArgumentException">The string contains half of a surrogate pair.</exception>
    internal void WritePrefix(string prefix)
    {
        Append(StringTag);
        WriteStringPart(prefix);
    }

    /// <summary>Writes bytes, in the order of their unsigned values.</summary>
    internal void Write(ReadOnlySpan<byte> value)
    {
        Append(BytesTag);
        WriteEscaped(value);
        Append(0x00);
        Append(0x01);
    }

    /// <summary>
    /// Inverts the bits of all bytes from <paramref name="start"/> on, so that they compare in the opposite order: for descending columns.
    /// </summary>
    internal void Reverse(int start)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, _length);
        foreach (ref byte value in _buffer.AsSpan(start, _length - start))
            value = (byte)~value;
    }

    /// <summary>Appends bytes that are already in ordered form.</summary>
    internal void WriteRaw(ReadOnlySpan<byte> ordered) => ordered.CopyTo(Reserve(ordered.Length));

    void WriteStringPart(string value)
    {
        Span<byte> utf8 = value.Length <= 128 ? stackalloc byte[value.Length * 3] : new byte[Encoding.UTF8.GetMaxByteCount(value.Length)];
        int length;
        try
        {
            length = StrictUtf8.GetBytes(value, utf8);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException("A key or an indexed string contains half of a surrogate pair, which is not a character. Remove it.", e);
        }
        for (int i = 0; i < length; i++)
        {
            if (utf8[i] is Utf8LeadEE or Utf8LeadEE + 1)
                utf8[i] += OrderedLeadEE - Utf8LeadEE;
        }
        WriteEscaped(utf8[..length]);
    }

    internal static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    void WriteEscaped(ReadOnlySpan<byte> bytes)
    {
        for (int zero = bytes.IndexOf((byte)0); zero >= 0; zero = bytes.IndexOf((byte)0))
        {
            WriteRaw(bytes[..(zero + 1)]);
            Append(0xFF);
            bytes = bytes[(zero + 1)..];
        }
        WriteRaw(bytes);
    }

    internal void Append(byte value) => Reserve(1)[0] = value;

    Span<byte> Reserve(int count)
    {
        if (_length + count > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + count));
        var span = _buffer.AsSpan(_length, count);
        _length += count;
        return span;
    }
}
