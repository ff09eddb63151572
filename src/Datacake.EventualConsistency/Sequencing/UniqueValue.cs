using System.Buffers.Binary;
using MessagePack;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// The form of a cell's value in which equal values have equal bytes, whatever the type of the property: the value describes itself as MessagePack. Numbers are
/// equal if they are so as numbers, times with offsets if they are the same instant.
/// </summary>
static class UniqueValue
{
    // The extension types of Datacake.Data.
    const sbyte DecimalType = 1, DateTimeType = 2, DateTimeOffsetType = 3;

    /// <summary>The tag of a value that is not of a known kind; no ordered value begins with it.</summary>
    const byte OtherTag = 0x7F;

    /// <summary>Writes a value. Returns false if it is nil or empty, so that it is null.</summary>
    public static bool TryWrite(ReadOnlySpan<byte> value, OrderedKeyWriter output)
    {
        if (value.IsEmpty || value is [MessagePackCode.Nil])
            return false;
        int start = output.Length;
        try
        {
            var reader = new MessagePackReader(value.ToArray());
            if (TryWrite(ref reader, output) && reader.End)
                return true;
        }
        catch (Exception e) when (e is MessagePackSerializationException or EndOfStreamException or OverflowException or ArgumentException)
        {
            // Bytes that are no MessagePack are compared as they are.
        }
        output.Truncate(start);
        output.Append(OtherTag);
        output.Write(value);
        return true;
    }

    static bool TryWrite(ref MessagePackReader reader, OrderedKeyWriter output)
    {
        switch (reader.NextMessagePackType)
        {
            case MessagePackType.Boolean:
                output.Write(reader.ReadBoolean());
                return true;
            case MessagePackType.Integer when reader.NextCode == MessagePackCode.UInt64:
                output.Write(reader.ReadUInt64());
                return true;
            case MessagePackType.Integer:
                output.Write(reader.ReadInt64());
                return true;
            case MessagePackType.Float:
                Write(reader.ReadDouble(), output);
                return true;
            case MessagePackType.String when reader.ReadString() is { } text:
                output.Write(text);
                return true;
            case MessagePackType.Binary when reader.ReadBytes() is { } bytes:
                output.Write(System.Buffers.BuffersExtensions.ToArray(bytes).AsSpan());
                return true;
            case MessagePackType.Extension:
                var header = reader.ReadExtensionFormatHeader();
                return header.Length <= 32 && TryWrite(header.TypeCode, System.Buffers.BuffersExtensions.ToArray(reader.ReadRaw(header.Length)), output);
            default:
                return false;
        }
    }

    static bool TryWrite(sbyte type, ReadOnlySpan<byte> content, OrderedKeyWriter output)
    {
        switch (type)
        {
            case DecimalType when content.Length is >= 1 and <= 13 && (content[0] & 0x1F) <= 28 && (content[0] & 0x60) == 0:
                Span<byte> magnitude = stackalloc byte[12];
                magnitude.Clear();
                content[1..].CopyTo(magnitude[(13 - content.Length)..]);
                Write(
                    new decimal(
                        BinaryPrimitives.ReadInt32BigEndian(magnitude[8..]), BinaryPrimitives.ReadInt32BigEndian(magnitude[4..]), BinaryPrimitives.ReadInt32BigEndian(magnitude),
                        isNegative: (content[0] & 0x80) != 0, (byte)(content[0] & 0x1F)),
                    output);
                return true;
            case DateTimeType when content.Length == 8:
                // The kind, in the two highest bits, is no part of the value.
                output.Append(OtherTag);
                output.Write((long)(BinaryPrimitives.ReadUInt64BigEndian(content) & ~(3UL << 62)));
                return true;
            case DateTimeOffsetType when content.Length == 10:
                output.Append(OtherTag);
                output.Write(unchecked(BinaryPrimitives.ReadInt64BigEndian(content) - (TimeSpan.TicksPerMinute * BinaryPrimitives.ReadInt16BigEndian(content[8..]))));
                return true;
            default:
                return false;
        }
    }

    static void Write(double value, OrderedKeyWriter output)
    {
        if (value >= long.MinValue && value < long.MaxValue && Math.Truncate(value) == value)
            output.Write((long)value);
        else
            output.Write(value);
    }

    static void Write(decimal value, OrderedKeyWriter output)
    {
        if (value is >= long.MinValue and <= long.MaxValue && decimal.Truncate(value) == value)
            output.Write((long)value);
        else
            output.Write(value);
    }
}
