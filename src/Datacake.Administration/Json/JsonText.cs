using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Datacake.Administration.Json;

/// <summary>Building JSON values.</summary>
static class JsonText
{
    /// <summary>Gets the options of a writer that escapes only what JSON requires: the result is not embedded in HTML.</summary>
    public static JsonWriterOptions Options { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Returns what is written as one value.</summary>
    public static JsonElement ToElement(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
            write(json);
        return JsonElement.Parse(buffer.WrittenSpan);
    }
}
