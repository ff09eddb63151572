using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Xml;
using Datacake.Data;
using Datacake.Data.Values;

namespace Datacake.PostgreSql.Projection.Tables;

/// <summary>Values of entities as JSON. Properties have their names in C#, times are those of ISO 8601, and bytes are Base64.</summary>
/// <param name="areEnumsIntegers">True if values of enumerations are numbers instead of names.</param>
sealed class JsonValues(bool areEnumsIntegers)
{
    static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Returns a value as JSON; null if there is none, or if it is an array without a value.</summary>
    public string? Of(object? value, ValueShape shape) =>
        value is null || (shape is ListShape list && list.ItemsOf(value) is null) ? null : Write(json => Write(json, value, shape));

    /// <summary>Returns the elements of a set as JSON; null if there is no set.</summary>
    public string? OfSet(object? set, ValueShape element) => set is null ? null : Write(json => WriteItems(json, (IEnumerable)set, element));

    /// <summary>Returns a dictionary as a JSON object; null if there is no dictionary.</summary>
    public string? OfDictionary(object? dictionary, PropertyModel property) => dictionary is null ? null : Write(json => WriteEntries(json, dictionary, property));

    /// <summary>Returns an owned object of an entity as JSON; null if there is no such object.</summary>
    public string? OfOwned(object entity, PropertyModel owned, IReadOnlyList<PropertyModel> properties) =>
        owned.GetValue(entity) is null ? null : Write(json => WriteOwned(json, entity, owned, properties));

    /// <summary>Returns a key of a dictionary as the name of a property.</summary>
    public string NameOf(object key, ScalarShape shape)
    {
        string text = Write(json => Write(json, key, shape));
        using var parsed = JsonDocument.Parse(text);
        return parsed.RootElement.ValueKind == JsonValueKind.String ? parsed.RootElement.GetString()! : text;
    }

    static string Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
            write(json);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    void WriteOwned(Utf8JsonWriter json, object entity, PropertyModel owned, IReadOnlyList<PropertyModel> properties)
    {
        json.WriteStartObject();
        foreach (var property in properties)
        {
            if (!property.Name.StartsWith(owned.Name + ".", StringComparison.Ordinal) || property.Name.IndexOf('.', owned.Name.Length + 1) >= 0)
                continue;
            json.WritePropertyName(property.Name[(owned.Name.Length + 1)..]);
            if (property.GetValue(entity) is not { } value)
                json.WriteNullValue();
            else if (property.Kind == PropertyKind.Owned)
                WriteOwned(json, entity, property, properties);
            else if (property.Kind == PropertyKind.Dictionary)
                WriteEntries(json, value, property);
            else if (property.Kind == PropertyKind.Set)
                WriteItems(json, (IEnumerable)value, property.Shape!);
            else
                Write(json, value, property.Shape!);
        }
        json.WriteEndObject();
    }

    void WriteEntries(Utf8JsonWriter json, object dictionary, PropertyModel property)
    {
        json.WriteStartObject();
        foreach (var (key, value) in property.Entries!(dictionary))
        {
            json.WritePropertyName(ColumnType.TextOf(NameOf(key, (ScalarShape)property.KeyShape!)));
            Write(json, value, property.Shape!);
        }
        json.WriteEndObject();
    }

    void WriteItems(Utf8JsonWriter json, IEnumerable? items, ValueShape shape)
    {
        if (items is null)
        {
            json.WriteNullValue();
            return;
        }
        json.WriteStartArray();
        foreach (object? item in items)
            Write(json, item, shape);
        json.WriteEndArray();
    }

    void Write(Utf8JsonWriter json, object? value, ValueShape shape)
    {
        switch (shape)
        {
            case var _ when value is null:
                json.WriteNullValue();
                break;
            case ListShape list:
                WriteItems(json, list.ItemsOf(value), list.Item);
                break;
            case ObjectShape item:
                json.WriteStartObject();
                foreach (var member in item.Members)
                {
                    json.WritePropertyName(member.Name);
                    Write(json, member.GetValue(value), member.Shape);
                }
                json.WriteEndObject();
                break;
            case ScalarShape scalar:
                WriteScalar(json, scalar.StoredOf(value));
                break;
        }
    }

    void WriteScalar(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNullValue();
                break;
            case string text:
                json.WriteStringValue(ColumnType.TextOf(text));
                break;
            case char character:
                json.WriteStringValue(ColumnType.TextOf(character.ToString()));
                break;
            case bool flag:
                json.WriteBooleanValue(flag);
                break;
            case Enum name when !areEnumsIntegers:
                json.WriteStringValue(name.ToString());
                break;
            case Enum number:
                json.WriteRawValue(number.ToString("D"));
                break;
            case decimal number:
                json.WriteNumberValue(number);
                break;
            case ulong number:
                json.WriteNumberValue(number);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case float number when float.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case double or float:
                json.WriteStringValue(((IFormattable)value).ToString(null, CultureInfo.InvariantCulture));
                break;
            case Guid id:
                json.WriteStringValue(id);
                break;
            case byte[] bytes:
                json.WriteBase64StringValue(bytes);
                break;
            case DateTime time:
                json.WriteStringValue(DateTime.SpecifyKind(time, DateTimeKind.Utc));
                break;
            case DateTimeOffset time:
                json.WriteStringValue(time.UtcDateTime);
                break;
            case DateOnly or TimeOnly:
                json.WriteStringValue(((IFormattable)value).ToString("O", CultureInfo.InvariantCulture));
                break;
            case TimeSpan span:
                json.WriteStringValue(XmlConvert.ToString(span));
                break;
            default:
                json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
        }
    }
}
