using System.Text;
using System.Text.Json;
using CsCheck;
using Datacake.Administration.Json;
using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.EventualConsistency;

namespace Datacake.Administration.Tests;

/// <summary>Documents and keys as JSON.</summary>
public class DocumentJsonTests
{
    static readonly Gen<string> AnyJson = Gen.Recursive<string>((depth, json) => depth >= 3
        ? Scalar
        : Gen.OneOf(
            Scalar,
            json.Array[0, 4].Select(static items => $"[{string.Join(',', items)}]"),
            Gen.Select(Gen.String.Array[0, 4], json.Array[4]).Select(static (names, values) => $"{{{string.Join(',', names.Distinct().Where(static name => IsPlainName(name))
                .Zip(values, static (name, value) => $"{JsonSerializer.Serialize(name)}:{value}"))}}}"),
            Gen.Select(Scalar, json).Select(static (key, value) => $$"""{"$map":[[{{key}},{{value}}]]}""")));

    static readonly Gen<string> Key = Gen.OneOf(
        Gen.Long.Select(static value => $"{value}"), Gen.ULong.Select(static value => $"{value}"), Text, Gen.Const("true"), Gen.Const("false"), Gen.Const("null"),
        Gen.Guid.Select(static value => $$"""{"$guid":"{{value}}"}"""), Gen.Byte.Array[0, 15].Select(static value => $$"""{"$bytes":{{JsonSerializer.Serialize(value)}}}"""),
        Gen.Double.Select(static value => JsonText.ToElement(json => ExtendedJson.WriteDouble(json, value == 0 ? 0 : value)).GetRawText()));

    static Gen<string> Text => Gen.String[0, 20].Where(static text => IsPlainName(text)).Select(static text => JsonSerializer.Serialize(text));

    static Gen<string> Scalar => Gen.OneOf(
        Gen.Long.Select(static value => $"{value}"), Gen.ULong.Select(static value => $"{value}"), Text, Gen.Const("true"), Gen.Const("null"),
        Gen.Double.Select(static value => JsonText.ToElement(json => ExtendedJson.WriteDouble(json, value)).GetRawText()),
        Gen.Float.Select(static value => $$"""{"$single":"{{value:R}}"}"""),
        Gen.Decimal.Select(static value => $$"""{"$decimal":"{{value}}"}"""),
        Gen.Guid.Select(static value => $$"""{"$guid":"{{value}}"}"""),
        Gen.Byte.Array[0, 15].Select(static value => $$"""{"$bytes":{{JsonSerializer.Serialize(value)}}}"""),
        Gen.Select(Gen.DateTime, Gen.Bool).Select(static (time, isUtc) => $$"""{"$dateTime":"{{time:yyyy-MM-dd'T'HH:mm:ss.FFFFFFF}}{{(isUtc ? "Z" : "")}}"}"""));

    [Fact]
    public void Value_is_the_same_after_it_was_read_and_written() => AnyJson.Sample(json =>
    {
        byte[] stored = Encode(json);
        string written = JsonText.ToElement(writer => ExtendedJson.Write(writer, stored, isPlain: false)).GetRawText();

        Assert.Equal(stored, Encode(written));
    });

    [Fact]
    public void Value_is_readable_in_plain_form() => AnyJson.Sample(json =>
        JsonText.ToElement(writer => ExtendedJson.Write(writer, Encode(json), isPlain: true)).GetRawText());

    [Fact]
    public void Key_is_the_same_after_it_was_written_and_read() => Key.Array[1, 3].Sample(parts =>
    {
        var key = KeyJson.Read(JsonElement.Parse(parts.Length == 1 ? parts[0] : $"[{string.Join(',', parts)}]"));

        Assert.Equal(key, KeyJson.Read(KeyJson.Of(key)));
    });

    [Fact]
    public void Document_is_the_same_after_it_was_written_and_read()
    {
        var content = DocumentJson.Read(JsonElement.Parse("""
            {
              "Name": "Cake", "Address": true, "Address.City": "Vienna", "Price": {"$decimal": "1.50"}, "Tags": {"$set": ["a", 2]}, "Empty": {"$set": []},
              "Prices": {"$dictionary": [[1, {"$decimal": "2.5"}], ["b", null]]}, "Notes": ["x", {"y": 1}]
            }
            """), new ValueWriter()).Content;
        var document = Document.Put(new HlcTimestamp(1), content);

        var (again, counters) = DocumentJson.Read(DocumentJson.Of(document, isPlain: false), new ValueWriter());

        Assert.Equal(document, Document.Put(new HlcTimestamp(1), again));
        Assert.Empty(counters);
    }

    [Fact]
    public void Raw_document_and_counters_are_read()
    {
        var (raw, _) = DocumentJson.Read(JsonElement.Parse("""{"$raw": "AQID"}"""), new ValueWriter());
        var (_, counters) = DocumentJson.Read(JsonElement.Parse("""{"Stock": {"$counter": -7}}"""), new ValueWriter());

        Assert.Equal("""{"$raw":"AQID"}""", DocumentJson.Of(Document.Put(new HlcTimestamp(1), raw), isPlain: false).GetRawText());
        Assert.Equal([new CounterIncrement("Stock", -7)], counters);
    }

    [Theory]
    [InlineData("[7,0,null]", 0L, null)]
    [InlineData("[7,null,9]", null, 9L)]
    [InlineData("[7,-5,9]", -5L, 9L)]
    public void Counter_keeps_its_bounds(string counter, long? minimum, long? maximum)
    {
        var (_, counters) = DocumentJson.Read(JsonElement.Parse($"{{\"Stock\": {{\"$counter\": {counter}}}}}"), new ValueWriter());

        Assert.Equal([new CounterIncrement("Stock", 7) { Minimum = minimum, Maximum = maximum }], counters);
    }

    [Theory]
    [InlineData("7", "A document is a JSON object")]
    [InlineData("""{"Price": {"$decimal": "cheap"}}""", "is not a value that can be stored")]
    [InlineData("""{"Price": {"$money": "1"}}""", "$money is unknown")]
    [InlineData("""{"Stock": {"$counter": 1.5}}""", "$counter is an integer")]
    [InlineData("""{"Stock": {"$counter": [1]}}""", "the value, the minimum and the maximum")]
    [InlineData("""{"Stock": {"$counter": [1, 3, 2]}}""", "greater than its maximum")]
    [InlineData("""{"Stock": {"$counter": [1, "0", null]}}""", "$counter is an integer")]
    [InlineData("""{"$raw": "?"}""", "Base64")]
    [InlineData("""{"Number": 99999999999999999999999}""", "too many digits")]
    public void Document_that_cannot_be_stored_is_refused_with_the_reason(string json, string reason) => Assert.Contains(
        reason, Assert.ThrowsAny<FormatException>(() => DocumentJson.Read(JsonElement.Parse(json), new ValueWriter())).Message, StringComparison.Ordinal);

    static byte[] Encode(string json)
    {
        var writer = new ValueWriter();
        ExtendedJson.Read(JsonElement.Parse(json), writer);
        return writer.Written.ToArray();
    }

    // Half of a surrogate pair cannot be stored, and a dollar sign begins the name of a type.
    static bool IsPlainName(string text) => !text.StartsWith('$') && Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) == text;
}
