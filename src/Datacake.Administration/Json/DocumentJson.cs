using System.Text;
using System.Text.Json;
using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;

namespace Datacake.Administration.Json;

/// <summary>
/// Documents as JSON: an object with a property for each property of the document. Sets are <c>{"$set":[…]}</c>, dictionaries
/// <c>{"$dictionary":[[key,value],…]}</c>, counters <c>{"$counter":7}</c> or,
/// with the minimum and the maximum, <c>{"$counter":[7,0,null]}</c>, and a raw document is <c>{"$raw":"base64"}</c>.
/// </summary>
static class DocumentJson
{
    const string Set = "$set", Dictionary = "$dictionary", Counter = "$counter", Raw = "$raw";
    const byte Present = 0xC3;

    /// <summary>Writes what readers see of a document. With <paramref name="isPlain"/>, it is easier to read, and exact types are lost.</summary>
    public static void Write(Utf8JsonWriter json, Document document, bool isPlain)
    {
        json.WriteStartObject();
        // The cells of a property are not adjacent: those of all elements come after those of all properties.
        var properties = new OrderedDictionary<string, ShownProperty>();
        foreach (var cell in document.Cells)
        {
            if (!cell.IsShown(document.Born))
                continue;
            if (cell.Kind == DocumentPathKind.Root)
            {
                json.WriteBase64String(Raw, cell.Value);
                continue;
            }
            string name = Encoding.UTF8.GetString(cell.Property);
            if (!properties.TryGetValue(name, out var property))
                properties.Add(name, property = new ShownProperty());
            property.Add(cell);
        }
        foreach (var (name, property) in properties)
        {
            json.WritePropertyName(name);
            Write(json, property, isPlain);
        }
        json.WriteEndObject();
    }

    /// <summary>Returns what readers see of a document as JSON.</summary>
    public static JsonElement Of(Document document, bool isPlain) => JsonText.ToElement(json => Write(json, document, isPlain));

    /// <summary>Reads the content of a document and the values of its counters.</summary>
    /// <exception cref="FormatException">The JSON is not a document.</exception>
    public static (DocumentContent Content, IReadOnlyList<CounterIncrement> Counters) Read(JsonElement json, ValueWriter value)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new JsonValueException($"A document is a JSON object, not {json.GetRawText()}.");
        if (ExtendedJson.TypedValueOf(json) is { Name: Raw } raw)
            return (DocumentContent.OfRaw(BytesOf(raw.Value)), []);
        var cells = new DocumentContentBuilder();
        List<CounterIncrement>? counters = null;
        foreach (var property in json.EnumerateObject())
        {
            var typed = ExtendedJson.TypedValueOf(property.Value);
            switch (typed?.Name)
            {
                case Counter:
                    (counters ??= []).Add(CounterOf(property.Name, typed.Value.Value));
                    break;
                case Set:
                    cells.Set(DocumentPath.OfProperty(property.Name).Encoded.Span, [Present]);
                    foreach (var element in typed.Value.Value.EnumerateArray())
                        cells.Set(DocumentPath.OfElement(property.Name, Encode(element)).Encoded.Span, [Present]);
                    break;
                case Dictionary:
                    cells.Set(DocumentPath.OfProperty(property.Name).Encoded.Span, [Present]);
                    foreach (var entry in typed.Value.Value.EnumerateArray())
                        cells.Set(DocumentPath.OfElement(property.Name, Encode(entry[0])).Encoded.Span, Encode(entry[1]));
                    break;
                default:
                    cells.Set(DocumentPath.OfProperty(property.Name).Encoded.Span, Encode(property.Value));
                    break;
            }
        }
        return (cells.Build(), counters ?? []);

        ReadOnlySpan<byte> Encode(JsonElement element)
        {
            value.Clear();
            ExtendedJson.Read(element, value);
            return value.Written;
        }
    }

    static byte[] BytesOf(JsonElement json) => json.ValueKind == JsonValueKind.String && json.TryGetBytesFromBase64(out byte[]? bytes)
        ? bytes
        : throw new JsonValueException($"The value of {Raw} is a string in Base64, not {json.GetRawText()}.");

    static CounterIncrement CounterOf(string property, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Array)
            return new CounterIncrement(property, IntegerOf(json));
        if (json.GetArrayLength() != 3)
            throw new JsonValueException($"The value of {Counter} with bounds is an array of the value, the minimum and the maximum, each null if there is none, not {json.GetRawText()}.");
        long? minimum = BoundOf(json[1]), maximum = BoundOf(json[2]);
        return minimum > maximum
            ? throw new JsonValueException($"The minimum of the {Counter} {json.GetRawText()} is greater than its maximum.")
            : new CounterIncrement(property, IntegerOf(json[0])) { Minimum = minimum, Maximum = maximum };

        static long? BoundOf(JsonElement bound) => bound.ValueKind == JsonValueKind.Null ? null : IntegerOf(bound);
    }

    static long IntegerOf(JsonElement json) => json.ValueKind == JsonValueKind.Number && json.TryGetInt64(out long value)
        ? value
        : throw new JsonValueException($"The value of {Counter} is an integer, not {json.GetRawText()}.");

    static void Write(Utf8JsonWriter json, ShownProperty property, bool isPlain)
    {
        if (property.Total is { } total)
        {
            ExtendedJson.Begin(json, Counter, isPlain);
            if (isPlain || property.Bounds is not { } bounds)
                json.WriteNumberValue(total);
            else
                WriteBounded(json, total, bounds.Minimum, bounds.Maximum);
            ExtendedJson.End(json, isPlain);
        }
        else if (property.Elements.Count == 0 || property.Value is [0xC0])
            ExtendedJson.Write(json, property.Value, isPlain);
        else if (property.Elements.TrueForAll(static element => element.Value is [Present]))
        {
            ExtendedJson.Begin(json, Set, isPlain);
            json.WriteStartArray();
            foreach (var (element, _) in property.Elements)
                ExtendedJson.Write(json, element, isPlain);
            json.WriteEndArray();
            ExtendedJson.End(json, isPlain);
        }
        else
        {
            ExtendedJson.Begin(json, Dictionary, isPlain);
            json.WriteStartArray();
            foreach (var (element, value) in property.Elements)
            {
                json.WriteStartArray();
                ExtendedJson.Write(json, element, isPlain);
                ExtendedJson.Write(json, value, isPlain);
                json.WriteEndArray();
            }
            json.WriteEndArray();
            ExtendedJson.End(json, isPlain);
        }
    }

    static void WriteBounded(Utf8JsonWriter json, long total, long? minimum, long? maximum)
    {
        json.WriteStartArray();
        json.WriteNumberValue(total);
        foreach (long? bound in (ReadOnlySpan<long?>)[minimum, maximum])
        {
            if (bound is { } number)
                json.WriteNumberValue(number);
            else
                json.WriteNullValue();
        }
        json.WriteEndArray();
    }

    /// <summary>The cells of one property that readers see.</summary>
    sealed class ShownProperty
    {
        public byte[] Value { get; private set; } = [Present];

        public long? Total { get; private set; }

        /// <summary>Gets the bounds of a bounded counter, which the share of its founder has; null for any other property.</summary>
        public (long? Minimum, long? Maximum)? Bounds { get; private set; }

        public List<(byte[] Element, byte[] Value)> Elements { get; } = [];

        public void Add(DocumentCell cell)
        {
            switch (cell.Kind)
            {
                case DocumentPathKind.CounterShare:
                    Total = unchecked((Total ?? 0) + CounterValue.Read(cell.Value));
                    if (BoundedShare.IsBounded(cell.Value) && BoundedShare.Read(cell.Value) is var share)
                    {
                        if (share.Minimum is not null || share.Maximum is not null)
                            Bounds = (share.Minimum, share.Maximum);
                        else
                            Bounds ??= (0, null);       // a counter that began with an increment
                    }
                    break;
                case DocumentPathKind.Element:
                    Elements.Add((cell.Element.ToArray(), cell.Value.ToArray()));
                    break;
                default:
                    Value = cell.Value.ToArray();
                    break;
            }
        }
    }
}
