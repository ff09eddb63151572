using System.Buffers.Binary;
using System.Globalization;

namespace Datacake.EventualConsistency.Keys;

/// <summary>
/// The ordered encoding of a decimal: its bytes compare as the numbers do. It has a scientific form: a sign, an exponent, then the
/// significant digits without trailing zeros. For negative numbers, the bits of the exponent and the digits are inverted.
/// </summary>
static class OrderedDecimal
{
    public const byte Zero = 0x01;
    const byte Negative = 0x00, Positive = 0x02;
    const int DigitBytes = 13;                  // 29 digits, as an integer padded to 10^29: 97 bits

    /// <summary>The number of bytes after the sign of a number other than zero.</summary>
    public const int Length = 1 + DigitBytes;

    static readonly UInt128 Unit = UInt128.Parse("10000000000000000000000000000", CultureInfo.InvariantCulture);   // 10^28

    public static void Write(decimal value, OrderedKeyWriter output)
    {
        if (value == 0)
        {
            output.Append(Zero);
            return;
        }
        Span<int> parts = stackalloc int[4];
        decimal.GetBits(value, parts);
        var digits = new UInt128((uint)parts[2], ((ulong)(uint)parts[1] << 32) | (uint)parts[0]);
        int exponent = 28 - ((parts[3] >> 16) & 0xFF);
        while (digits < Unit)
        {
            digits *= 10;
            exponent--;
        }

        // The exponent is at most 28 (79 octillion) and at least -28 (10^-28). It is shifted to be positive.
        Span<byte> bytes = stackalloc byte[1 + 16];
        bytes[0] = (byte)(exponent + 64);
        BinaryPrimitives.WriteUInt128BigEndian(bytes[1..], digits);
        if (value < 0)
        {
            foreach (ref byte b in bytes)
                b = (byte)~b;
        }
        output.Append(value < 0 ? Negative : Positive);
        output.WriteRaw(bytes[..1]);
        output.WriteRaw(bytes[^DigitBytes..]);
    }

    /// <summary>Reads a number whose sign was already read. The result has no trailing zeros.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a valid decimal.</exception>
    public static decimal Read(byte sign, ReadOnlySpan<byte> written)
    {
        if (sign == Zero)
            return 0;
        Span<byte> bytes = stackalloc byte[16];
        written[1..].CopyTo(bytes[^DigitBytes..]);
        int exponent = written[0];
        if (sign == Negative)
        {
            exponent = (byte)~exponent;
            foreach (ref byte b in bytes[^DigitBytes..])
                b = (byte)~b;
        }
        var digits = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        int scale = 28 - (exponent - 64);
        for (; scale > 0 && digits % 10 == 0 && digits != 0; scale--)
            digits /= 10;
        if (sign is not (Negative or Positive) || scale is < 0 or > 28 || digits == 0 || digits >> 96 != 0)
            throw new InvalidDataException("The bytes of a decimal number in a key are not valid.");
        ulong low = (ulong)digits;
        return new decimal((int)low, (int)(low >> 32), (int)(uint)(digits >> 64), sign == Negative, (byte)scale);
    }
}
