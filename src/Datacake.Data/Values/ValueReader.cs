using System.Buffers.Binary;
using System.ComponentModel;
using System.Text;
using Datacake.Data.Values;

namespace Datacake.Data.CodeGeneration;

/// <summary>A reader of MessagePack values, in any form that the format allows, directly from bytes. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public ref struct ValueReader
{
    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    ReadOnlySpan<byte> _rest;

    /// <summary>Creates a reader that starts at the beginning of <paramref name="encoded"/>.</summary>
    public ValueReader(ReadOnlySpan<byte> encoded) => _rest = encoded;

    /// <summary>True if all bytes were read.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Gets the bytes that are not read yet.</summary>
    internal readonly ReadOnlySpan<byte> Rest => _rest;

    /// <summary>True if the next value is nil.</summary>
    public readonly bool IsNil => !_rest.IsEmpty && _rest[0] == 0xC0;

    /// <summary>Reads nil if it comes next, and returns true if it did.</summary>
    public bool TryReadNil()
    {
        bool isNil = IsNil;
        if (isNil)
            _rest = _rest[1..];
        return isNil;
    }

    /// <summary>Reads a boolean.</summary>
    /// <exception cref="InvalidDataException">
    /// The next value is of another kind. The other methods throw it for the same reason.
    /// </exception>
    public bool ReadBoolean() => TakeCode() switch
    {
        0xC2 => false,
        0xC3 => true,
        byte code => throw Unexpected(code, "a boolean"),
    };

    /// <summary>Reads an integer.</summary>
    public long ReadInt64()
    {
        byte code = TakeCode();
        return code switch
        {
            < 0x80 => code,
            >= 0xE0 => (sbyte)code,
            0xCC => Take(1)[0],
            0xCD => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
            0xCE => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
            0xCF when BinaryPrimitives.ReadUInt64BigEndian(Take(8)) is var value =>
                value <= long.MaxValue ? (long)value : throw new InvalidDataException($"The integer {value} does not fit into 63 bits."),
            0xD0 => (sbyte)Take(1)[0],
            0xD1 => BinaryPrimitives.ReadInt16BigEndian(Take(2)),
            0xD2 => BinaryPrimitives.ReadInt32BigEndian(Take(4)),
            0xD3 => BinaryPrimitives.ReadInt64BigEndian(Take(8)),
            _ => throw Unexpected(code, "an integer"),
        };
    }

    /// <summary>Reads a non-negative integer.</summary>
    public ulong ReadUInt64()
    {
        if (!_rest.IsEmpty && _rest[0] == 0xCF)
        {
            _rest = _rest[1..];
            return BinaryPrimitives.ReadUInt64BigEndian(Take(8));
        }
        long value = ReadInt64();
        return value >= 0 ? (ulong)value : throw new InvalidDataException($"The integer {value} is negative.");
    }

    /// <summary>Reads a number of any kind except decimal as a 32-bit floating-point number.</summary>
    public float ReadSingle() => (float)ReadDouble();

    /// <summary>Reads a number of any kind except decimal as a 64-bit floating-point number.</summary>
    public double ReadDouble()
    {
        switch (_rest.IsEmpty ? 0 : _rest[0])
        {
            case 0xCB:
                _rest = _rest[1..];
                return BinaryPrimitives.ReadDoubleBigEndian(Take(8));
            case 0xCA:
                _rest = _rest[1..];
                return BinaryPrimitives.ReadSingleBigEndian(Take(4));
            case 0xCF:
                return ReadUInt64();
            default:
                return ReadInt64();
        }
    }

    /// <summary>Reads a decimal or an integer.</summary>
    public decimal ReadDecimal()
    {
        if (!_rest.IsEmpty && _rest[0] is not (0xC7 or >= 0xD4 and <= 0xD8))
            return _rest[0] == 0xCF ? ReadUInt64() : ReadInt64();
        var content = TakeExtension(ExtensionTypes.Decimal, "a decimal");
        int scale = content.IsEmpty ? 29 : content[0] & 0x1F;
        if (scale > 28 || content.Length > 13 || (content[0] & 0x60) != 0)
            throw new InvalidDataException("The bytes are not a valid decimal.");
        Span<byte> magnitude = stackalloc byte[12];
        content[1..].CopyTo(magnitude[(13 - content.Length)..]);
        return new decimal(
            BinaryPrimitives.ReadInt32BigEndian(magnitude[8..]),
            BinaryPrimitives.ReadInt32BigEndian(magnitude[4..]),
            BinaryPrimitives.ReadInt32BigEndian(magnitude),
            isNegative: (content[0] & 0x80) != 0,
            (byte)scale);
    }

    /// <summary>Reads a string or nil.</summary>
    public string? ReadString()
    {
        byte code = TakeCode();
        if (code == 0xC0)
            return null;
        var utf8 = Take(code switch
        {
            >= 0xA0 and <= 0xBF => code & 0x1Fu,
            >= 0xD9 and <= 0xDB => TakeLength(code - 0xD9),
            _ => throw Unexpected(code, "a string"),
        });
        // Most strings are ASCII, and these are read in one pass.
        if (Ascii.IsValid(utf8))
            return Encoding.Latin1.GetString(utf8);
        try
        {
            return StrictUtf8.GetString(utf8);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException("The bytes of a string are not valid UTF-8.", e);
        }
    }

    /// <summary>Reads bytes or nil.</summary>
    public byte[]? ReadBytes() => TryReadNil() ? null : TakeBytes().ToArray();

    /// <summary>Reads a Guid.</summary>
    public Guid ReadGuid()
    {
        var bytes = TakeBytes();
        return bytes.Length == 16
            ? new Guid(bytes, bigEndian: true)
            : throw new InvalidDataException($"A Guid must have 16 bytes, but this one has {bytes.Length}.");
    }

    /// <summary>Reads a date and time.</summary>
    public DateTime ReadDateTime()
    {
        var content = TakeExtension(ExtensionTypes.DateTime, "a date and time");
        ulong bits = content.Length == 8 ? BinaryPrimitives.ReadUInt64BigEndian(content) : ulong.MaxValue;
        long ticks = (long)(bits & ~(3UL << 62));
        if (bits >> 62 > 2 || ticks > DateTime.MaxValue.Ticks)
            throw new InvalidDataException("The bytes are not a valid date and time.");
        return new DateTime(ticks, (DateTimeKind)(bits >> 62));
    }

    /// <summary>Reads a date and time with offset.</summary>
    public DateTimeOffset ReadDateTimeOffset()
    {
        var content = TakeExtension(ExtensionTypes.DateTimeOffset, "a date and time with offset");
        try
        {
            if (content.Length == 10)
            {
                return new DateTimeOffset(
                    BinaryPrimitives.ReadInt64BigEndian(content), TimeSpan.FromMinutes(BinaryPrimitives.ReadInt16BigEndian(content[8..])));
            }
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException("The bytes are not a valid date and time with offset.", e);
        }
        throw new InvalidDataException("The bytes are not a valid date and time with offset.");
    }

    /// <summary>Reads the header of an array and returns the number of values that follow.</summary>
    public int ReadArrayHeader()
    {
        byte code = TakeCode();
        return Plausible(
            code switch
            {
                >= 0x90 and <= 0x9F => code & 0xFu,
                0xDC or 0xDD => TakeLength(code - 0xDC + 1),
                _ => throw Unexpected(code, "an array"),
            },
            minItemLength: 1);
    }

    /// <summary>Reads the header of a map and returns the number of pairs that follow.</summary>
    public int ReadMapHeader()
    {
        byte code = TakeCode();
        return Plausible(
            code switch
            {
                >= 0x80 and <= 0x8F => code & 0xFu,
                0xDE or 0xDF => TakeLength(code - 0xDE + 1),
                _ => throw Unexpected(code, "a map"),
            },
            minItemLength: 2);
    }

    /// <summary>Skips one value of any kind.</summary>
    public void Skip()
    {
        // A loop rather than recursion, so that deep nesting in invalid data cannot overflow the stack.
        for (long pending = 1; pending > 0; pending--)
        {
            byte code = TakeCode();
            switch (code)
            {
                case < 0x80 or >= 0xE0 or 0xC0 or 0xC2 or 0xC3:
                    break;
                case <= 0x8F:
                    pending += 2 * (code & 0xF);
                    break;
                case <= 0x9F:
                    pending += code & 0xF;
                    break;
                case <= 0xBF:
                    Take(code & 0x1Fu);
                    break;
                case >= 0xC4 and <= 0xC6:
                    Take(TakeLength(code - 0xC4));
                    break;
                case >= 0xC7 and <= 0xC9:
                    Take(TakeLength(code - 0xC7));
                    Take(1);
                    break;
                case 0xCA or 0xCE or 0xD2:
                    Take(4);
                    break;
                case 0xCB or 0xCF or 0xD3:
                    Take(8);
                    break;
                case 0xCC or 0xD0:
                    Take(1);
                    break;
                case 0xCD or 0xD1:
                    Take(2);
                    break;
                case >= 0xD4 and <= 0xD8:
                    Take(1 + (1u << (code - 0xD4)));
                    break;
                case >= 0xD9 and <= 0xDB:
                    Take(TakeLength(code - 0xD9));
                    break;
                case 0xDC or 0xDD:
                    pending += TakeLength(code - 0xDC + 1);
                    break;
                case 0xDE or 0xDF:
                    pending += 2L * TakeLength(code - 0xDE + 1);
                    break;
                default:
                    throw Unexpected(code, "a value");
            }
        }
    }

    ReadOnlySpan<byte> TakeBytes()
    {
        byte code = TakeCode();
        return code is >= 0xC4 and <= 0xC6 ? Take(TakeLength(code - 0xC4)) : throw Unexpected(code, "bytes");
    }

    ReadOnlySpan<byte> TakeExtension(byte type, string expected)
    {
        byte code = TakeCode();
        uint length = code switch
        {
            >= 0xC7 and <= 0xC9 => TakeLength(code - 0xC7),
            >= 0xD4 and <= 0xD8 => 1u << (code - 0xD4),
            _ => throw Unexpected(code, expected),
        };
        byte found = TakeCode();
        return found == type
            ? Take(length)
            : throw new InvalidDataException($"Expected {expected}, but found an extension of type {found}.");
    }

    /// <summary>Reads a length of 8, 16 or 32 bits.</summary>
    uint TakeLength(int sizeLog2) => sizeLog2 switch
    {
        0 => Take(1)[0],
        1 => BinaryPrimitives.ReadUInt16BigEndian(Take(2)),
        _ => BinaryPrimitives.ReadUInt32BigEndian(Take(4)),
    };

    /// <summary>Rejects a count that the remaining bytes cannot hold, before memory is allocated for it.</summary>
    readonly int Plausible(uint count, int minItemLength) => (long)count * minItemLength <= _rest.Length
        ? (int)count
        : throw new InvalidDataException($"Expected {count} items, but only {_rest.Length} bytes follow.");

    byte TakeCode()
    {
        if (_rest.IsEmpty)
            throw TooFew(1, 0);
        byte code = _rest[0];
        _rest = _rest[1..];
        return code;
    }

    ReadOnlySpan<byte> Take(uint count)
    {
        if (count > (uint)_rest.Length)
            throw TooFew(count, _rest.Length);
        var taken = _rest[..(int)count];
        _rest = _rest[(int)count..];
        return taken;
    }

    static InvalidDataException TooFew(uint count, int left) => new($"Expected {count} more byte(s), but only {left} follow.");

    static InvalidDataException Unexpected(byte code, string expected) => new($"Expected {expected}, but found the MessagePack code {code:X2}.");
}
