using System.Buffers.Binary;
using System.Globalization;
using Datacake.EventualConsistency.Keys;

namespace Datacake.EventualConsistency;

/// <summary>A reader of the values that an <see cref="OrderedKeyWriter"/> wrote.</summary>
public ref struct OrderedKeyReader
{
    ReadOnlySpan<byte> _rest;

    /// <summary>Creates a reader that starts at the beginning of <paramref name="encoded"/>.</summary>
    internal OrderedKeyReader(ReadOnlySpan<byte> encoded) => _rest = encoded;

    /// <summary>True if all values were read.</summary>
    internal readonly bool IsAtEnd => _rest.IsEmpty;

    /// <summary>Gets the tag of the next value; 0 if all values were read.</summary>
    internal readonly byte NextTag => _rest.IsEmpty ? (byte)0 : _rest[0];

    /// <summary>Reads a null value and returns true, if one comes next.</summary>
    internal bool TryReadNull()
    {
        bool isNull = !_rest.IsEmpty && _rest[0] == OrderedKeyWriter.NullTag;
        if (isNull)
            _rest = _rest[1..];
        return isNull;
    }

    /// <summary>Reads a signed integer.</summary>
    /// <exception cref="InvalidDataException">The next value is not a signed integer.</exception>
    internal long ReadInt64()
    {
        Expect(OrderedKeyWriter.Int64Tag, "a 64-bit integer");
        return BinaryPrimitives.ReadInt64BigEndian(Take(8)) ^ long.MinValue;
    }

    /// <summary>Reads an unsigned integer.</summary>
    /// <exception cref="InvalidDataException">The next value is not an unsigned integer.</exception>
    internal ulong ReadUInt64()
    {
        if (!_rest.IsEmpty && _rest[0] == OrderedKeyWriter.Int64Tag)
        {
            long value = ReadInt64();
            return value >= 0 ? (ulong)value : throw new InvalidDataException($"The key contains {value} where an unsigned integer was expected.");
        }
        Expect(OrderedKeyWriter.UInt64Tag, "an unsigned 64-bit integer");
        return BinaryPrimitives.ReadUInt64BigEndian(Take(8));
    }

    /// <summary>Reads a Boolean.</summary>
    /// <exception cref="InvalidDataException">The next value is not a Boolean.</exception>
    internal bool ReadBoolean()
    {
        bool value = !_rest.IsEmpty && _rest[0] == OrderedKeyWriter.TrueTag;
        Expect(value ? OrderedKeyWriter.TrueTag : OrderedKeyWriter.FalseTag, "a Boolean");
        return value;
    }

    /// <summary>Reads a floating-point number.</summary>
    /// <exception cref="InvalidDataException">The next value is not a floating-point number.</exception>
    internal double ReadDouble()
    {
        Expect(OrderedKeyWriter.DoubleTag, "a floating-point number");
        ulong ordered = BinaryPrimitives.ReadUInt64BigEndian(Take(sizeof(ulong)));
        if (ordered == 0)
            return double.NaN;
        // The inverse of what the writer does, so that negative numbers are inverted again.
        bool isNegative = ordered < 0x8000_0000_0000_0000;
        return BitConverter.UInt64BitsToDouble(isNegative ? ~ordered : ordered & 0x7FFF_FFFF_FFFF_FFFF);
    }

    /// <summary>Reads a decimal number, without trailing zeros.</summary>
    /// <exception cref="InvalidDataException">The next value is not a decimal number.</exception>
    internal decimal ReadDecimal()
    {
        Expect(OrderedKeyWriter.DecimalTag, "a decimal number");
        byte sign = Take(1)[0];
        return OrderedDecimal.Read(sign, sign == OrderedDecimal.Zero ? default : Take(OrderedDecimal.Length));
    }

    /// <summary>Reads a <see cref="Guid"/>.</summary>
    /// <exception cref="InvalidDataException">The next value is not a <see cref="Guid"/>.</exception>
    internal Guid ReadGuid()
    {
        Expect(OrderedKeyWriter.GuidTag, "a Guid");
        return new Guid(Take(16), bigEndian: true);
    }

    /// <summary>Reads a string.</summary>
    /// <exception cref="InvalidDataException">The next value is not a string.</exception>
    internal string ReadString()
    {
        Expect(OrderedKeyWriter.StringTag, "a string");
        // Most strings are in the key as they are in UTF-8.
        int end = _rest.IndexOf((byte)0);
        if (end >= 0 && end + 1 < _rest.Length && _rest[end + 1] == 0x01 && _rest[..end].IndexOfAny(OrderedKeyWriter.OrderedLeadEE, (byte)(OrderedKeyWriter.OrderedLeadEE + 1)) < 0)
            return DecodeUtf8(Take(end + 2)[..end]);
        byte[] utf8 = TakeEscaped();
        foreach (ref byte b in utf8.AsSpan())
        {
            if (b is OrderedKeyWriter.OrderedLeadEE or OrderedKeyWriter.OrderedLeadEE + 1)
                b -= OrderedKeyWriter.OrderedLeadEE - OrderedKeyWriter.Utf8LeadEE;
        }
        return DecodeUtf8(utf8);
    }

    static string DecodeUtf8(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return OrderedKeyWriter.StrictUtf8.GetString(utf8);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException("The key contains a string that is not valid UTF-8.", e);
        }
    }

    /// <summary>Reads bytes.</summary>
    /// <exception cref="InvalidDataException">The next value is not bytes.</exception>
    internal byte[] ReadBytes()
    {
        Expect(OrderedKeyWriter.BytesTag, "bytes");
        return TakeEscaped();
    }

    /// <summary>Reads a value of any type, and returns its encoded bytes.</summary>
    /// <exception cref="InvalidDataException">No value comes next.</exception>
    internal ReadOnlySpan<byte> ReadEncoded()
    {
        var encoded = _rest;
        switch (encoded.IsEmpty ? (byte)0 : encoded[0])
        {
            case OrderedKeyWriter.NullTag or OrderedKeyWriter.FalseTag or OrderedKeyWriter.TrueTag:
                Take(1);
                break;
            case OrderedKeyWriter.Int64Tag or OrderedKeyWriter.UInt64Tag or OrderedKeyWriter.DoubleTag:
                Take(1 + sizeof(long));
                break;
            case OrderedKeyWriter.DecimalTag:
                ReadDecimal();
                break;
            case OrderedKeyWriter.GuidTag:
                Take(17);
                break;
            case OrderedKeyWriter.StringTag or OrderedKeyWriter.BytesTag:
                SkipEscaped();
                break;
            default:
                throw new InvalidDataException("The key contains no valid value where one was expected.");
        }
        return encoded[..^_rest.Length];
    }

    /// <summary>Returns the values of a key as readable text.</summary>
    internal static string Describe(ReadOnlySpan<byte> encoded)
    {
        try
        {
            var reader = new OrderedKeyReader(encoded);
            var values = new List<string>();
            while (!reader.IsAtEnd)
                values.Add(reader.DescribeNext());
            return values.Count == 1 ? values[0] : $"({string.Join(", ", values)})";
        }
        catch (InvalidDataException)
        {
            return $"bytes {Convert.ToHexString(encoded)}";
        }
    }

    string DescribeNext() => _rest[0] switch
    {
        OrderedKeyWriter.Int64Tag => ReadInt64().ToString(CultureInfo.InvariantCulture),
        OrderedKeyWriter.UInt64Tag => ReadUInt64().ToString(CultureInfo.InvariantCulture),
        OrderedKeyWriter.StringTag => $"'{ReadString()}'",
        OrderedKeyWriter.GuidTag => ReadGuid().ToString(),
        OrderedKeyWriter.BytesTag => $"0x{Convert.ToHexString(ReadBytes())}",
        OrderedKeyWriter.TrueTag or OrderedKeyWriter.FalseTag => ReadBoolean() ? "true" : "false",
        OrderedKeyWriter.DecimalTag => ReadDecimal().ToString(CultureInfo.InvariantCulture),
        OrderedKeyWriter.DoubleTag => ReadDouble().ToString("R", CultureInfo.InvariantCulture),
        OrderedKeyWriter.NullTag when TryReadNull() => "null",
        _ => throw new InvalidDataException($"The key contains the unknown tag {_rest[0]:X2}."),
    };

    void Expect(byte tag, string what)
    {
        if (_rest.IsEmpty || _rest[0] != tag)
            throw new InvalidDataException($"The key contains {(_rest.IsEmpty ? "nothing" : $"the tag {_rest[0]:X2}")} where {what} should be.");
        _rest = _rest[1..];
    }

    ReadOnlySpan<byte> Take(int count)
    {
        if (_rest.Length < count)
            throw new InvalidDataException("The key ends in the middle of a value.");
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    /// <summary>Skips bytes that end with 00 01 and in which 00 FF stands for each zero.</summary>
    void SkipEscaped()
    {
        while (true)
        {
            int zero = _rest.IndexOf((byte)0);
            if (zero < 0)
                throw new InvalidDataException("The key ends in the middle of a value.");
            byte next = Take(zero + 2)[^1];
            if (next == 0x01)
                return;
            if (next != 0xFF)
                throw UnknownEscape(next);
        }
    }

    byte[] TakeEscaped()
    {
        var bytes = new List<byte>(_rest.Length);
        while (true)
        {
            int zero = _rest.IndexOf((byte)0);
            if (zero < 0 || zero + 1 == _rest.Length)
                throw new InvalidDataException("The key ends in the middle of a value.");
            bytes.AddRange(_rest[..zero]);
            byte next = _rest[zero + 1];
            _rest = _rest[(zero + 2)..];
            if (next == 0x01)
                return [.. bytes];
            if (next != 0xFF)
                throw UnknownEscape(next);
            bytes.Add(0);
        }
    }

    static InvalidDataException UnknownEscape(byte next) => new($"The key contains the unknown escape sequence 00 {next:X2}.");
}
