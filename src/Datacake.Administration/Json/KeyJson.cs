using System.Text.Json;
using Datacake.EventualConsistency;

namespace Datacake.Administration.Json;

/// <summary>
/// Keys as JSON: the value of a key, or an array with the values of a composite key. Types are exact, since a key that is shown is used to find the document.
/// </summary>
static class KeyJson
{
    /// <summary>Writes a key.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a key.</exception>
    public static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> encoded)
    {
        var reader = new OrderedKeyReader(encoded);
        var first = reader;
        first.ReadEncoded();
        bool isComposite = !first.IsAtEnd;
        if (isComposite)
            json.WriteStartArray();
        while (!reader.IsAtEnd)
            WriteNext(json, ref reader);
        if (isComposite)
            json.WriteEndArray();
    }

    /// <summary>Returns a key as JSON.</summary>
    public static JsonElement Of(DocumentKey key) => JsonText.ToElement(json => Write(json, key.Encoded.Span));

    /// <summary>Reads a key.</summary>
    /// <exception cref="FormatException">The JSON is not a key.</exception>
    /// <exception cref="ArgumentException">The key is too long.</exception>
    public static DocumentKey Read(JsonElement json)
    {
        var writer = new OrderedKeyWriter();
        if (json.ValueKind == JsonValueKind.Array)
        {
            foreach (var part in json.EnumerateArray())
                ReadNext(part, writer);
        }
        else
            ReadNext(json, writer);
        return writer.Length > 0 ? new DocumentKey(writer.ToArray()) : throw new JsonValueException("A key has at least one value.");
    }

    static void WriteNext(Utf8JsonWriter json, ref OrderedKeyReader reader)
    {
        switch (reader.NextTag)
        {
            case OrderedKeyWriter.Int64Tag:
                json.WriteNumberValue(reader.ReadInt64());
                break;
            case OrderedKeyWriter.UInt64Tag:
                json.WriteNumberValue(reader.ReadUInt64());
                break;
            case OrderedKeyWriter.TrueTag or OrderedKeyWriter.FalseTag:
                json.WriteBooleanValue(reader.ReadBoolean());
                break;
            case OrderedKeyWriter.StringTag:
                json.WriteStringValue(reader.ReadString());
                break;
            case OrderedKeyWriter.GuidTag:
                ExtendedJson.WriteGuid(json, reader.ReadGuid(), isPlain: false);
                break;
            case OrderedKeyWriter.BytesTag:
                ExtendedJson.WriteBytes(json, reader.ReadBytes(), isPlain: false);
                break;
            case OrderedKeyWriter.DecimalTag:
                ExtendedJson.WriteDecimal(json, reader.ReadDecimal(), isPlain: false);
                break;
            case OrderedKeyWriter.DoubleTag:
                ExtendedJson.WriteDouble(json, reader.ReadDouble());
                break;
            default:
                if (!reader.TryReadNull())
                    throw new InvalidDataException("The key contains no valid value where one was expected.");
                json.WriteNullValue();
                break;
        }
    }

    static void ReadNext(JsonElement json, OrderedKeyWriter key)
    {
        switch (ExtendedJson.ReadScalar(json))
        {
            case null:
                key.WriteNull();
                break;
            case bool value:
                key.Write(value);
                break;
            case long value:
                key.Write(value);
                break;
            case ulong value:
                key.Write(value);
                break;
            case double value:
                key.Write(value);
                break;
            case decimal value:
                key.Write(value);
                break;
            case Guid value:
                key.Write(value);
                break;
            case byte[] value:
                key.Write(value.AsSpan());
                break;
            case string value:
                key.Write(value);
                break;
        }
    }
}
