using System.Buffers.Binary;
using System.ComponentModel;
using System.Text;
using Datacake.Data.Values;

namespace Datacake.Data.CodeGeneration;

/// <summary>
/// A writer of values as MessagePack, each in its shortest form, so that equal values have equal bytes. Not thread-safe. For generated
/// code.
/// </summary>
/// <remarks>
/// MessagePack has no type for some values. A <see cref="Guid"/> is written as its 16 bytes in big-endian order. A decimal, a
/// <see cref="DateTime"/> and a <see cref="DateTimeOffset"/> are written as the extension types 1, 2 and 3 of
/// <see cref="ExtensionTypes"/>.
/// </remarks>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class ValueWriter
{
    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    byte[] _buffer = new byte[128];
    int _length;

    /// <summary>Gets the bytes written since the last <see cref="Clear"/>. They are valid until the next write.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>Discards the written bytes.</summary>
    public void Clear() => _length = 0;

    /// <summary>Writes nil.</summary>
    public void WriteNil() => Append(0xC0);

    /// <summary>Writes a boolean.</summary>
    public void WriteBoolean(bool value) => Append(value ? (byte)0xC3 : (byte)0xC2);

    /// <summary>Writes a signed integer.</summary>
    public void WriteInt64(long value)
    {
        if (value >= 0)
            WriteUInt64((ulong)value);
        else if (value >= -32)
            Append((byte)value);
        else if (value >= sbyte.MinValue)
            Reserve(2, 0xD0)[0] = (byte)value;
        else if (value >= short.MinValue)
            BinaryPrimitives.WriteInt16BigEndian(Reserve(3, 0xD1), (short)value);
        else if (value >= int.MinValue)
            BinaryPrimitives.WriteInt32BigEndian(Reserve(5, 0xD2), (int)value);
        else
            BinaryPrimitives.WriteInt64BigEndian(Reserve(9, 0xD3), value);
    }

    /// <summary>Writes an unsigned integer.</summary>
    public void WriteUInt64(ulong value)
    {
        if (value < 0x80)
            Append((byte)value);
        else if (value <= byte.MaxValue)
            Reserve(2, 0xCC)[0] = (byte)value;
        else if (value <= ushort.MaxValue)
            BinaryPrimitives.WriteUInt16BigEndian(Reserve(3, 0xCD), (ushort)value);
        else if (value <= uint.MaxValue)
            BinaryPrimitives.WriteUInt32BigEndian(Reserve(5, 0xCE), (uint)value);
        else
            BinaryPrimitives.WriteUInt64BigEndian(Reserve(9, 0xCF), value);
    }

    /// <summary>Writes a 32-bit floating-point number.</summary>
    public void WriteSingle(float value) => BinaryPrimitives.WriteSingleBigEndian(Reserve(5, 0xCA), value);

    /// <summary>Writes a 64-bit floating-point number.</summary>
    public void WriteDouble(double value) => BinaryPrimitives.WriteDoubleBigEndian(Reserve(9, 0xCB), value);

    /// <summary>Writes a string, or nil if it is null.</summary>
    /// <exception cref="ArgumentException">The string contains half of a surrogate pair, which UTF-8 cannot represent.</exception>
    public void WriteString(string? value)
    {
        if (value is null)
        {
            WriteNil();
            return;
        }
        int length;
        try
        {
            length = StrictUtf8.GetByteCount(value);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException(
                $"The string contains half of a surrogate pair at index {e.Index}, which is not a valid character. Remove it.", nameof(value), e);
        }
        Span<byte> destination;
        if (length < 32)
            destination = Reserve(1 + length, (byte)(0xA0 | length));
        else
            destination = ReserveWithLength(length, 0xD9);
        StrictUtf8.GetBytes(value, destination);
    }

    /// <summary>Writes bytes, or nil if they are null.</summary>
    public void WriteBytes(byte[]? value)
    {
        if (value is null)
            WriteNil();
        else
            value.CopyTo(ReserveWithLength(value.Length, 0xC4));
    }

    /// <summary>Writes a Guid.</summary>
    public void WriteGuid(Guid value) => value.TryWriteBytes(ReserveWithLength(16, 0xC4), bigEndian: true, out _);

    /// <summary>Writes a decimal with its scale, so that 1.0 and 1.00 have different bytes.</summary>
    public void WriteDecimal(decimal value)
    {
        Span<int> parts = stackalloc int[4];
        decimal.GetBits(value, parts);
        Span<byte> magnitude = stackalloc byte[12];
        BinaryPrimitives.WriteInt32BigEndian(magnitude, parts[2]);
        BinaryPrimitives.WriteInt32BigEndian(magnitude[4..], parts[1]);
        BinaryPrimitives.WriteInt32BigEndian(magnitude[8..], parts[0]);
        magnitude = magnitude.TrimStart((byte)0);
        // The flags have the scale in bits 16 to 23 and the sign in bit 31.
        var destination = Reserve(4 + magnitude.Length, 0xC7);
        destination[0] = (byte)(1 + magnitude.Length);
        destination[1] = ExtensionTypes.Decimal;
        destination[2] = (byte)((parts[3] >> 16 & 0x1F) | (parts[3] < 0 ? 0x80 : 0));
        magnitude.CopyTo(destination[3..]);
    }

    /// <summary>Writes a date and time with its <see cref="DateTime.Kind"/>.</summary>
    /// <exception cref="ArgumentException">The value is a local time, which is a different instant in another time zone.</exception>
    public void WriteDateTime(DateTime value)
    {
        if (value.Kind == DateTimeKind.Local)
        {
            throw new ArgumentException(
                "A DateTime of kind Local is a different instant in another time zone, and is ambiguous in the hour that is repeated when daylight saving time ends. "
                    + "Use DateTime.UtcNow or ToUniversalTime(), or make the property a DateTimeOffset.");
        }
        var destination = Reserve(10, 0xD7);
        destination[0] = ExtensionTypes.DateTime;
        BinaryPrimitives.WriteInt64BigEndian(destination[1..], ((long)value.Kind << 62) | value.Ticks);
    }

    /// <summary>Writes a date and time with offset.</summary>
    public void WriteDateTimeOffset(DateTimeOffset value)
    {
        var destination = Reserve(13, 0xC7);
        destination[0] = 10;
        destination[1] = ExtensionTypes.DateTimeOffset;
        BinaryPrimitives.WriteInt64BigEndian(destination[2..], value.Ticks);
        BinaryPrimitives.WriteInt16BigEndian(destination[10..], (short)value.TotalOffsetMinutes);
    }

    /// <summary>Writes the header of an array of <paramref name="count"/> values, which follow.</summary>
    public void WriteArrayHeader(int count)
    {
        if (count < 16)
            Append((byte)(0x90 | count));
        else if (count <= ushort.MaxValue)
            BinaryPrimitives.WriteUInt16BigEndian(Reserve(3, 0xDC), (ushort)count);
        else
            BinaryPrimitives.WriteInt32BigEndian(Reserve(5, 0xDD), count);
    }

    /// <summary>Writes the header of a map of <paramref name="count"/> pairs of a key and a value, which follow.</summary>
    public void WriteMapHeader(int count)
    {
        if (count < 16)
            Append((byte)(0x80 | count));
        else if (count <= ushort.MaxValue)
            BinaryPrimitives.WriteUInt16BigEndian(Reserve(3, 0xDE), (ushort)count);
        else
            BinaryPrimitives.WriteInt32BigEndian(Reserve(5, 0xDF), count);
    }

    /// <summary>
    /// Reserves room for a value and writes its length. Strings and bytes have three consecutive codes, for lengths of 8, 16 and 32 bits.
    /// </summary>
    Span<byte> ReserveWithLength(int length, byte firstCode)
    {
        if (length <= byte.MaxValue)
        {
            var destination = Reserve(2 + length, firstCode);
            destination[0] = (byte)length;
            return destination[1..];
        }
        if (length <= ushort.MaxValue)
        {
            var destination = Reserve(3 + length, (byte)(firstCode + 1));
            BinaryPrimitives.WriteUInt16BigEndian(destination, (ushort)length);
            return destination[2..];
        }
        else
        {
            var destination = Reserve(checked(5 + length), (byte)(firstCode + 2));
            BinaryPrimitives.WriteInt32BigEndian(destination, length);
            return destination[4..];
        }
    }

    void Append(byte value) => Reserve(1, value);

    /// <summary>Reserves <paramref name="count"/> bytes, sets the first one, and returns the others.</summary>
    Span<byte> Reserve(int count, byte first)
    {
        if (_length + count > _buffer.Length)
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, checked(_length + count)));
        var span = _buffer.AsSpan(_length, count);
        _length += count;
        span[0] = first;
        return span[1..];
    }
}
