using System.Globalization;
using System.Text;
using System.Text.Json;
using Datacake.Data.CodeGeneration;

namespace Datacake.Administration.Json;

/// <summary>
/// Stored values as JSON that loses nothing. What JSON cannot tell apart is an object with one property whose name begins with a dollar
/// sign, such as <c>{"$decimal":"1.50"}</c>, as in the Extended JSON of MongoDB.
/// </summary>
static class ExtendedJson
{
    const string Decimal = "$decimal", Double = "$double", Single = "$single", Guid = "$guid", Bytes = "$bytes",
        DateAndTime = "$dateTime", DateTimeWithOffset = "$dateTimeOffset", Map = "$map";
    const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF";

    const byte ExtensionOfDecimal = 1, ExtensionOfDateTime = 2;

    /// <summary>Writes a stored value. With <paramref name="isPlain"/>, it is easier to read, and its exact type is lost.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a stored value.</exception>
    public static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> encoded, bool isPlain)
    {
        var reader = new ValueReader(encoded);
        Write(json, ref reader, encoded, isPlain);
        if (!reader.IsAtEnd)
            throw new InvalidDataException("The value is followed by further bytes.");
    }

    /// <summary>Reads a value that <see cref="Write(Utf8JsonWriter, ReadOnlySpan{byte}, bool)"/> wrote, or plain JSON.</summary>
    /// <exception cref="FormatException">The JSON is not a value that can be stored.</exception>
    public static void Read(JsonElement json, ValueWriter value)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Null:
                value.WriteNil();
                break;
            case JsonValueKind.True or JsonValueKind.False:
                value.WriteBoolean(json.GetBoolean());
                break;
            case JsonValueKind.String:
                value.WriteString(json.GetString());
                break;
            case JsonValueKind.Number:
                ReadNumber(json, value);
                break;
            case JsonValueKind.Array:
                value.WriteArrayHeader(json.GetArrayLength());
                foreach (var item in json.EnumerateArray())
                    Read(item, value);
                break;
            default:
                ReadObject(json, value);
                break;
        }
    }

    /// <summary>Returns the name and value of the only property of an object if the name begins with a dollar sign.</summary>
    public static JsonProperty? TypedValueOf(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object || json.GetPropertyCount() != 1)
            return null;
        var property = json.EnumerateObject().First();
        return property.Name.StartsWith('$') ? property : null;
    }

    public static void WriteGuid(Utf8JsonWriter json, Guid value, bool isPlain)
    {
        Begin(json, Guid, isPlain);
        json.WriteStringValue(value);
        End(json, isPlain);
    }

    public static void WriteBytes(Utf8JsonWriter json, ReadOnlySpan<byte> value, bool isPlain)
    {
        Begin(json, Bytes, isPlain);
        json.WriteBase64StringValue(value);
        End(json, isPlain);
    }

    public static void WriteDecimal(Utf8JsonWriter json, decimal value, bool isPlain)
    {
        if (isPlain)
            json.WriteNumberValue(value);
        else
            WriteTyped(json, Decimal, value.ToString(CultureInfo.InvariantCulture), isPlain: false);
    }

    public static void WriteDouble(Utf8JsonWriter json, double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture);
        if (!double.IsFinite(value) || (value == 0 && double.IsNegative(value)))
            WriteTyped(json, Double, text, isPlain: false);
        else
            json.WriteRawValue(text.AsSpan().ContainsAny(".E") ? text : text + ".0");
    }

    /// <summary>Reads a value of a key or of an element: a scalar without a structure of its own.</summary>
    /// <exception cref="FormatException">The JSON is not such a value.</exception>
    public static object? ReadScalar(JsonElement json)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.True or JsonValueKind.False:
                return json.GetBoolean();
            case JsonValueKind.String:
                return json.GetString();
            case JsonValueKind.Number when IsInteger(json.GetRawText()):
                return json.TryGetInt64(out long signed) ? signed
                    : json.TryGetUInt64(out ulong unsigned) ? unsigned : throw Unreadable(json, "The number has too many digits.");
            case JsonValueKind.Number:
                return json.GetDouble();
        }
        return TypedValueOf(json) is { } typed
            ? typed.Name switch
            {
                Guid => typed.Value.GetGuid(),
                Bytes => typed.Value.GetBytesFromBase64(),
                Decimal => decimal.Parse(TextOf(typed.Value), CultureInfo.InvariantCulture),
                Double => double.Parse(TextOf(typed.Value), CultureInfo.InvariantCulture),
                _ => throw Unreadable(json, $"{typed.Name} is not the type of a key."),
            }
            : throw Unreadable(json, "Use a number, a string, a Boolean, or an object such as {\"$guid\": \"…\"}.");
    }

    static void Write(Utf8JsonWriter json, ref ValueReader reader, ReadOnlySpan<byte> encoded, bool isPlain)
    {
        var rest = reader.Rest;
        switch (rest.IsEmpty ? (byte)0xC1 : rest[0])
        {
            case 0xC0:
                reader.TryReadNil();
                json.WriteNullValue();
                break;
            case 0xC2 or 0xC3:
                json.WriteBooleanValue(reader.ReadBoolean());
                break;
            case <= 0x7F or >= 0xE0 or >= 0xD0 and <= 0xD3 or >= 0xCC and <= 0xCE:
                json.WriteNumberValue(reader.ReadInt64());
                break;
            case 0xCF:
                json.WriteNumberValue(reader.ReadUInt64());
                break;
            case 0xCA when !isPlain:
                WriteTyped(json, Single, reader.ReadSingle().ToString("R", CultureInfo.InvariantCulture), isPlain: false);
                break;
            case 0xCA or 0xCB:
                WriteDouble(json, reader.ReadDouble());
                break;
            case >= 0xA0 and <= 0xBF or >= 0xD9 and <= 0xDB:
                json.WriteStringValue(reader.ReadString());
                break;
            case >= 0xC4 and <= 0xC6:
                byte[] bytes = reader.ReadBytes()!;
                if (bytes.Length == 16)
                    WriteGuid(json, new Guid(bytes, bigEndian: true), isPlain);
                else
                    WriteBytes(json, bytes, isPlain);
                break;
            case >= 0x90 and <= 0x9F or 0xDC or 0xDD:
                json.WriteStartArray();
                for (int left = reader.ReadArrayHeader(); left > 0; left--)
                    Write(json, ref reader, encoded, isPlain);
                json.WriteEndArray();
                break;
            case >= 0x80 and <= 0x8F or 0xDE or 0xDF:
                WriteMap(json, ref reader, encoded, isPlain);
                break;
            default:
                WriteExtension(json, ref reader, rest, isPlain);
                break;
        }
    }

    static void WriteExtension(Utf8JsonWriter json, ref ValueReader reader, ReadOnlySpan<byte> rest, bool isPlain)
    {
        // The type follows the code, or the code and one byte with the length.
        byte type = rest.Length < 3 ? (byte)0 : rest[0] == 0xC7 ? rest[2] : rest[1];
        if (type == ExtensionOfDecimal)
            WriteDecimal(json, reader.ReadDecimal(), isPlain);
        else if (type == ExtensionOfDateTime)
        {
            var time = reader.ReadDateTime();
            // Times of the kind Local are not stored.
            WriteTyped(json, DateAndTime, time.ToString(TimeFormat, CultureInfo.InvariantCulture) + (time.Kind == DateTimeKind.Utc ? "Z" : ""), isPlain);
        }
        else
            WriteTyped(json, DateTimeWithOffset, reader.ReadDateTimeOffset().ToString("O", CultureInfo.InvariantCulture), isPlain);
    }

    static void WriteMap(Utf8JsonWriter json, ref ValueReader reader, ReadOnlySpan<byte> encoded, bool isPlain)
    {
        var ahead = reader;
        int count = ahead.ReadMapHeader();
        bool isObject = true;
        for (int i = 0; i < count && isObject; i++)
        {
            isObject = !ahead.Rest.IsEmpty && IsString(ahead.Rest[0]) && !ahead.ReadString()!.StartsWith('$');
            if (isObject)
                ahead.Skip();
        }
        reader.ReadMapHeader();
        if (isObject)
        {
            json.WriteStartObject();
            for (int i = 0; i < count; i++)
            {
                json.WritePropertyName(reader.ReadString()!);
                Write(json, ref reader, encoded, isPlain);
            }
            json.WriteEndObject();
            return;
        }
        Begin(json, Map, isPlain);
        json.WriteStartArray();
        for (int i = 0; i < count; i++)
        {
            json.WriteStartArray();
            Write(json, ref reader, encoded, isPlain);
            Write(json, ref reader, encoded, isPlain);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        End(json, isPlain);
    }

    static void ReadObject(JsonElement json, ValueWriter value)
    {
        if (TypedValueOf(json) is not { } typed)
        {
            value.WriteMapHeader(json.GetPropertyCount());
            foreach (var property in json.EnumerateObject())
            {
                value.WriteString(property.Name);
                Read(property.Value, value);
            }
            return;
        }
        try
        {
            switch (typed.Name)
            {
                case Decimal:
                    value.WriteDecimal(decimal.Parse(TextOf(typed.Value), CultureInfo.InvariantCulture));
                    break;
                case Double:
                    value.WriteDouble(double.Parse(TextOf(typed.Value), CultureInfo.InvariantCulture));
                    break;
                case Single:
                    value.WriteSingle(float.Parse(TextOf(typed.Value), CultureInfo.InvariantCulture));
                    break;
                case Guid:
                    value.WriteGuid(typed.Value.GetGuid());
                    break;
                case Bytes:
                    value.WriteBytes(typed.Value.GetBytesFromBase64());
                    break;
                case DateAndTime:
                    value.WriteDateTime(ReadDateTime(TextOf(typed.Value)));
                    break;
                case DateTimeWithOffset:
                    value.WriteDateTimeOffset(DateTimeOffset.ParseExact(TextOf(typed.Value), "O", CultureInfo.InvariantCulture));
                    break;
                case Map:
                    value.WriteMapHeader(typed.Value.GetArrayLength());
                    foreach (var entry in typed.Value.EnumerateArray())
                    {
                        if (entry.GetArrayLength() != 2)
                            throw Unreadable(entry, "An entry of $map is an array of a key and a value.");
                        Read(entry[0], value);
                        Read(entry[1], value);
                    }
                    break;
                default:
                    throw Unreadable(json, $"The type {typed.Name} is unknown.");
            }
        }
        catch (Exception e) when (e is InvalidOperationException or OverflowException or FormatException and not JsonValueException)
        {
            throw Unreadable(json, e.Message);
        }
    }

    static DateTime ReadDateTime(string text)
    {
        var (kind, digits) = text.EndsWith('Z') ? (DateTimeKind.Utc, text[..^1]) : (DateTimeKind.Unspecified, text);
        return DateTime.SpecifyKind(DateTime.ParseExact(digits, TimeFormat, CultureInfo.InvariantCulture), kind);
    }

    static void ReadNumber(JsonElement json, ValueWriter value)
    {
        switch (ReadScalar(json))
        {
            case long number:
                value.WriteInt64(number);
                break;
            case ulong number:
                value.WriteUInt64(number);
                break;
            case double number:
                value.WriteDouble(number);
                break;
        }
    }

    static bool IsString(byte code) => code is >= 0xA0 and <= 0xBF or >= 0xD9 and <= 0xDB;

    static bool IsInteger(string text) => !text.AsSpan().ContainsAny(".eE");

    static string TextOf(JsonElement json) => json.ValueKind == JsonValueKind.Number ? json.GetRawText() : json.GetString() ?? "";

    static JsonValueException Unreadable(JsonElement json, string reason) => new($"{json.GetRawText()} is not a value that can be stored. {reason}");

    static void WriteTyped(Utf8JsonWriter json, string type, string text, bool isPlain)
    {
        Begin(json, type, isPlain);
        json.WriteStringValue(text);
        End(json, isPlain);
    }

    /// <summary>Begins an object with one property, the name of a type, unless the form is plain.</summary>
    public static void Begin(Utf8JsonWriter json, string type, bool isPlain)
    {
        if (isPlain)
            return;
        json.WriteStartObject();
        json.WritePropertyName(type);
    }

    /// <summary>Ends what <see cref="Begin"/> began.</summary>
    public static void End(Utf8JsonWriter json, bool isPlain)
    {
        if (!isPlain)
            json.WriteEndObject();
    }
}
