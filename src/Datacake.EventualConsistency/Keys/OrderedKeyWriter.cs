using System.Buffers.Binary;
using System.Text;
using Datacake.EventualConsistency.Keys;

namespace Datacake.EventualConsistency;

/// <summary>
/// Writes values so that the encoded bytes compare as the values do, one after the other: the keys of documents and of indexes, composite
/// ones included. Values of different types never compare equal; <see langword="null"/> comes first. Not thread-safe.
/// </summary>
/// <remarks>
/// Each value starts with a tag. Integers of 64 bits share one order, signed or not. Strings compare by ordinal (UTF-16 code units), as
/// <see cref="string.CompareOrdinal(string, string)"/> does. Strings and bytes end with 00 01, and a zero byte within them is 00 FF.
/// </remarks>
public sealed class OrderedKeyWriter
{
    internal const byte NullTag = 0x01, FalseTag = 0x08, TrueTag = 0x09, Int64Tag = 0x10, UInt64Tag = 0x11, DoubleTag = 0x18, DecimalTag = 0x19,
        StringTag = 0x20, GuidTag = 0x28, BytesTag = 0x30;

    // UTF-8 orders the characters U+E000 to U+FFFF (first bytes EE and EF) below the supplementary ones (F0 to F4), UTF-16 above them.
    internal const byte Utf8LeadEE = 0xEE, OrderedLeadEE = 0xFD;

    byte[] _buffer;
    int _length;

    /// <summary>Creates a writer with room for so many bytes, which grows when needed.</summary>
    public OrderedKeyWriter(int capacity = 64) => _buffer = new byte[Math.Max(capacity, 16)];

    /// <summary>How many bytes were written.</summary>
    public int Length => _length;

    /// <summary>What was written. Valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>Takes back everything after the first <paramref name="length"/> bytes.</summary>
    public void Truncate(int length = 0)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _length);
        _length = length;
    }

    /// <summary>A copy of what was written.</summary>
    public byte[] ToArray() => Written.ToArray();

    /// <summary>Writes the absence of a value, which comes before every value.</summary>
    public void WriteNull() => Append(NullTag);

    /// <summary>Writes a truth value: false comes first.</summary>
    public void Write(bool value) => Append(value ? TrueTag : FalseTag);

    /// <summary>Writes an integer.</summary>
    public void Write(long value)
    {
        Append(Int64Tag);
        BinaryPrimitives.WriteInt64BigEndian(Reserve(8), value ^ long.MinValue);
    }

    /// <summary>Writes an unsigned integer, in one order with signed ones.</summary>
    public void Write(ulong value)
    {
        if (value <= long.MaxValue)
        {
            Write((long)value);
            return;
        }
        Append(UInt64Tag);
        BinaryPrimitives.WriteUInt64BigEndian(Reserve(8), value);
    }

    /// <summary>Writes a floating-point number, in the order of <see cref="double.CompareTo(double)"/>: NaN comes first; negative zero is zero.</summary>
    public void Write(double value)
    {
        Append(DoubleTag);
        long bits = double.IsNaN(value) ? long.MinValue : BitConverter.DoubleToInt64Bits(value + 0.0);
        // Negative numbers grow with their magnitude as bits, so all their bits are turned over; NaN becomes the least of all.
        ulong ordered = double.IsNaN(value) ? 0 : bits < 0 ? ~(ulong)bits : (ulong)bits | 0x8000_0000_0000_0000;
        BinaryPrimitives.WriteUInt64BigEndian(Reserve(8), ordered);
    }

    /// <summary>Writes a decimal number by its value: 1.0 and 1.00 are equal.</summary>
    public void Write(decimal value)
    {
        Append(DecimalTag);
        OrderedDecimal.Write(value, this);
    }

    /// <summary>Writes a Guid, in the order of <see cref="Guid.CompareTo(Guid)"/>.</summary>
    public void Write(Guid value)
    {
        Append(GuidTag);
        value.TryWriteBytes(Reserve(16), bigEndian: true, out _);
    }

    /// <summary>Writes a string, in ordinal order.</summary>
    /// <exception cref="ArgumentException">The string has half of a surrogate pair.</exception>
    public void Write(string value)
    {
        Append(StringTag);
        WriteStringPart(value);
        Append(0x00);
        Append(0x01);
    }

    /// <summary>Writes the beginning of a string: what all strings that start with <paramref name="prefix"/> have in common.</summary>
    /// <exception cref="ArgumentException">The string has half of a surrogate pair.</exception>
    public void WritePrefix(string prefix)
    {
        Append(StringTag);
        WriteStringPart(prefix);
    }

    /// <summary>Writes bytes, in the order of their unsigned values.</summary>
    public void Write(ReadOnlySpan<byte> value)
    {
        Append(BytesTag);
        WriteEscaped(value);
        Append(0x00);
        Append(0x01);
    }

    /// <summary>Turns over all bytes from <paramref name="start"/> on, so that they compare the other way round: for descending columns.</summary>
    public void Reverse(int start)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, _length);
        foreach (ref byte value in _buffer.AsSpan(start, _length - start))
            value = (byte)~value;
    }

    /// <summary>Appends bytes that are ordered already.</summary>
    public void WriteRaw(ReadOnlySpan<byte> ordered) => ordered.CopyTo(Reserve(ordered.Length));

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
            throw new ArgumentException("A key or indexed string has half of a surrogate pair, which is not a character; remove it.", nameof(value), e);
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
