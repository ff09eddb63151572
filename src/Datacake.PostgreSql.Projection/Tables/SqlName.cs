using System.Text;
using System.Text.Json;

namespace Datacake.PostgreSql.Projection.Tables;

/// <summary>Names of tables and columns.</summary>
static class SqlName
{
    /// <summary>The maximum length of a name, in bytes of UTF-8. The server would cut off the rest.</summary>
    const int MaxLength = 63;

    /// <summary>Returns the name for that of a keyspace, class or property, with words in lower case: <c>order_id</c> for <c>OrderId</c>.</summary>
    public static string Of(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name.Replace('.', '_'));

    /// <summary>Returns a name quoted for SQL.</summary>
    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>Returns a text quoted for SQL.</summary>
    public static string QuoteText(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>Returns names quoted for SQL, separated by commas.</summary>
    /// <param name="names">The names.</param>
    /// <param name="prefix">The text before each name, such as that of a table.</param>
    public static string List(IEnumerable<string> names, string prefix = "") => string.Join(", ", names.Select(name => prefix + Quote(name)));

    /// <exception cref="ArgumentException">The name is empty, too long, or contains a null character.</exception>
    public static string Check(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return Encoding.UTF8.GetByteCount(name) <= MaxLength && !name.Contains('\0', StringComparison.Ordinal)
            ? name
            : throw new ArgumentException($"The name '{name}' of a table or column is longer than {MaxLength} bytes, or contains a null character. Give it a shorter name.");
    }
}
