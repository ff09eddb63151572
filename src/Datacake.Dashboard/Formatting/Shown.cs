using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Datacake.Dashboard.Formatting;

/// <summary>Values as people read them. Nothing here is encoded for HTML: the pages do that.</summary>
static class Shown
{
    public const int MaxKeyLength = 120;

    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Returns a number with three digits and a unit of thousands.</summary>
    public static string Short(double number) => Math.Abs(number) switch
    {
        >= 1e9 => $"{Digits(number / 1e9)} G",
        >= 1e6 => $"{Digits(number / 1e6)} M",
        >= 1e4 => $"{Digits(number / 1e3)} k",
        _ => Digits(number),
    };

    public static string Bytes(double bytes) => Math.Abs(bytes) switch
    {
        >= 1024d * 1024 * 1024 => $"{Digits(bytes / (1024d * 1024 * 1024))} GiB",
        >= 1024d * 1024 => $"{Digits(bytes / (1024d * 1024))} MiB",
        >= 1024d => $"{Digits(bytes / 1024)} KiB",
        _ => $"{Digits(bytes)} B",
    };

    public static string Duration(double seconds) => Math.Abs(seconds) switch
    {
        >= 172_800 => $"{Digits(seconds / 86_400)} d",
        >= 7_200 => $"{Digits(seconds / 3_600)} h",
        >= 120 => $"{Digits(seconds / 60)} min",
        >= 1 => $"{Digits(seconds)} s",
        >= 0.001 => $"{Digits(seconds * 1e3)} ms",
        0 => "0 s",
        _ => $"{Digits(seconds * 1e6)} µs",
    };

    /// <summary>Returns a difference with its sign.</summary>
    public static string Difference(double seconds) => $"{(seconds < 0 ? "−" : "+")}{Duration(Math.Abs(seconds))}";

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);

    public static string TimeOfDay(DateTimeOffset time) => time.UtcDateTime.ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture);

    /// <summary>Returns the time since a moment.</summary>
    public static string Ago(DateTimeOffset now, DateTimeOffset time) => now - time < TimeSpan.FromSeconds(2) ? "now" : $"{Duration(Math.Floor((now - time).TotalSeconds))} ago";

    public static string Json(JsonElement json) => JsonSerializer.Serialize(json, Indented);

    /// <summary>Returns the beginning of a text, with a mark if there is more.</summary>
    public static string Cut(string text, int maxLength) => text.Length <= maxLength ? text
        : string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[maxLength - 1]) ? maxLength - 1 : maxLength), "…");

    static string Digits(double number) => number.ToString(
        Math.Abs(number) switch { >= 100 => "0", >= 10 => "0.#", _ => "0.##" }, CultureInfo.InvariantCulture);
}
