using System.Text;
using System.Text.Json;

namespace Datacake.Tool.Transfers;

/// <summary>
/// Values in the fields of CSV files. A text that looks like JSON is a JSON string with quotes, a missing property is an empty field, and what JSON writes as
/// an object with a type, such as <c>{"$decimal":"1.50"}</c>, is the value alone, unless the type is in the name of the column.
/// </summary>
static class CsvValue
{
    /// <summary>The types that the name of a column can have after a colon.</summary>
    static readonly string[] Types = ["decimal", "double", "single", "guid", "bytes", "dateTime", "dateTimeOffset", "set", "dictionary", "counter", "map", "string"];

    /// <summary>Returns the type of a value in exact JSON, or an empty text.</summary>
    public static string TypeOf(JsonElement value) =>
        TypedValueOf(value) is { } typed && Types.Contains(typed.Name[1..]) ? typed.Name[1..] : value.ValueKind == JsonValueKind.String ? "string" : "";

    /// <summary>Splits the name of a column into the name of the property and the type.</summary>
    public static (string Name, string Type) Split(string column)
    {
        int colon = column.LastIndexOf(':');
        return colon > 0 && Types.Contains(column[(colon + 1)..]) ? (column[..colon], column[(colon + 1)..]) : (column, "");
    }

    /// <summary>Returns the field of a value.</summary>
    public static string Format(JsonElement value, string type)
    {
        if (TypedValueOf(value) is { } typed && Types.Contains(typed.Name[1..]))
            return typed.Value.ValueKind == JsonValueKind.String ? typed.Value.GetString()! : typed.Value.GetRawText();
        if (value.ValueKind != JsonValueKind.String)
            return value.GetRawText();
        string text = value.GetString()!;
        // A column with a type has texts only, of which the empty one needs quotes, since an empty field means that the property is missing.
        return text.Length == 0 || text[0] == '"' || (type.Length == 0 && IsJson(text)) ? value.GetRawText() : text;
    }

    /// <summary>Writes the value of a field that is not empty.</summary>
    public static void Write(Utf8JsonWriter json, string field, string type)
    {
        if (type.Length == 0 || type == "string")
        {
            if (type.Length == 0 ? IsJson(field) : field[0] == '"' && IsJson(field))
                json.WriteRawValue(field);
            else
                json.WriteStringValue(field);
            return;
        }
        if (field == "null")
        {
            json.WriteNullValue();
            return;
        }
        json.WriteStartObject();
        json.WritePropertyName("$" + type);
        if (type is "set" or "dictionary" or "counter" or "map")
            json.WriteRawValue(field);
        else
            json.WriteStringValue(field);
        json.WriteEndObject();
    }

    static JsonProperty? TypedValueOf(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object || value.GetPropertyCount() != 1)
            return null;
        var property = value.EnumerateObject().First();
        return property.Name.StartsWith('$') ? property : null;
    }

    static bool IsJson(string text)
    {
        if (text.Length == 0 || !"-0123456789tfn{[\"".Contains(text[0], StringComparison.Ordinal))
            return false;
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
        try
        {
            while (reader.Read())
            {
            }
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
