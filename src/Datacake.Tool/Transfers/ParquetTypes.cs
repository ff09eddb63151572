using System.Text.Json;
using System.Text.Json.Serialization;

namespace Datacake.Tool.Transfers;

/// <summary>
/// The types of columns in Parquet files. A file of the tool lists them under <see cref="MetadataKey"/>, so that an import restores the
/// values: what Parquet has no exact type for is text. The type of a column of text with another name is that of exact JSON, such as
/// <c>decimal</c> for <c>{"$decimal":"1.50"}</c>.
/// </summary>
static class ParquetTypes
{
    public const string MetadataKey = "datacake.types";

    public const string Integer = "integer", Number = "number", Boolean = "boolean", Text = "string", Bytes = "bytes", Json = "json";

    /// <summary>The types of exact JSON whose values are texts.</summary>
    static readonly string[] TypedTexts = ["decimal", "single", "guid", "dateTime", "dateTimeOffset"];

    /// <summary>Returns the type of the column that holds a value alone.</summary>
    public static string Of(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.True or JsonValueKind.False:
                return Boolean;
            case JsonValueKind.String:
                return Text;
            case JsonValueKind.Number:
                return value.GetRawText().AsSpan().ContainsAny(".eE") ? Number : value.TryGetInt64(out _) ? Integer : Json;
        }
        if (value.ValueKind != JsonValueKind.Object || value.GetPropertyCount() != 1)
            return Json;
        var only = value.EnumerateObject().First();
        if (only.Value.ValueKind != JsonValueKind.String || !only.Name.StartsWith('$'))
            return Json;
        return only.NameEquals("$bytes"u8) ? Bytes : TypedTexts.FirstOrDefault(only.Name[1..].Equals) ?? Json;
    }

    /// <summary>Returns the type of a column whose values would have two types.</summary>
    public static string Merge(string first, string second) => first == second ? first : Json;

    /// <summary>Writes the text of a column of a type.</summary>
    public static void Write(Utf8JsonWriter json, string text, string type)
    {
        if (type == Json)
        {
            json.WriteRawValue(text);
            return;
        }
        if (!TypedTexts.Contains(type))
        {
            json.WriteStringValue(text);
            return;
        }
        json.WriteStartObject();
        json.WriteString("$" + type, text);
        json.WriteEndObject();
    }
}

/// <summary>The JSON of the list of types.</summary>
[JsonSerializable(typeof(Dictionary<string, string>))]
sealed partial class ParquetTypesJson : JsonSerializerContext;
