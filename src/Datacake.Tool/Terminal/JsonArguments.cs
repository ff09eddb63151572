using System.Text.Json;

namespace Datacake.Tool.Terminal;

/// <summary>JSON on the command line.</summary>
static class JsonArguments
{
    /// <summary>Reads a key: JSON, the text of a GUID, or any other text, which needs no quotes.</summary>
    public static JsonElement ReadKey(string text)
    {
        if (TryParse(text) is { } json)
            return json;
        return Guid.TryParse(text, out var guid)
            ? JsonElement.Parse($$"""{"$guid":"{{guid}}"}""")
            : JsonElement.Parse($"\"{JsonEncodedText.Encode(text)}\"");
    }

    /// <summary>Reads a document, or the standard input for a hyphen.</summary>
    /// <exception cref="ToolException">The text is not a JSON object.</exception>
    public static JsonElement ReadDocument(string text)
    {
        if (text == "-")
            text = Console.In.ReadToEnd();
        return TryParse(text) is { ValueKind: JsonValueKind.Object } json
            ? json
            : throw new ToolException(ExitCode.Usage, "The document is not a JSON object. Quote it for the shell, such as '{\"Name\": \"Madeira\"}', or pass - to read it from standard input.");
    }

    static JsonElement? TryParse(string text)
    {
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
