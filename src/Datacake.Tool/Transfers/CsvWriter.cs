using System.Text.Json;
using nietras.SeparatedValues;

namespace Datacake.Tool.Transfers;

/// <summary>Turns exported JSON Lines into CSV: the columns are the properties of all documents, in the order in which they occur.</summary>
static class CsvWriter
{
    /// <summary>The column of the key.</summary>
    public const string KeyColumn = "$key";

    /// <param name="source">The path of a file of JSON Lines.</param>
    /// <param name="target">The path of the CSV file.</param>
    /// <param name="hasTypes">True if the names of columns have types where all values of a column have the same.</param>
    /// <param name="cancellationToken">A token that ends the work.</param>
    public static void Convert(string source, string target, bool hasTypes, CancellationToken cancellationToken)
    {
        var types = new OrderedDictionary<string, string>();
        foreach (string line in File.ReadLines(source))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var row = JsonDocument.Parse(line);
            Note(KeyColumn, row.RootElement.GetProperty("key"u8));
            foreach (var property in row.RootElement.GetProperty("document"u8).EnumerateObject())
                Note(property.Name, property.Value);
        }
        var columns = types.ToDictionary(static entry => entry.Key, entry => (
            Title: hasTypes && entry.Value.Length > 1 ? $"{entry.Key}:{entry.Value}" : entry.Key,
            Type: hasTypes && entry.Value.Length > 1 ? entry.Value : ""));
        using var writer = new Sep(',').Writer(static options => options with { Escape = true, DisableColCountCheck = false }).ToFile(target);
        writer.Header.Add([.. columns.Values.Select(static column => column.Title)]);
        foreach (string line in File.ReadLines(source))
        {
            cancellationToken.ThrowIfCancellationRequested();
            WriteRow(writer, columns, line);
        }

        // A column whose values have several types has none. "?" is the type of a column with nulls only so far.
        void Note(string name, JsonElement value)
        {
            string type = value.ValueKind == JsonValueKind.Null ? "?" : CsvValue.TypeOf(value);
            if (!types.TryGetValue(name, out string? before) || before == "?")
                types[name] = type;
            else if (before != type && type != "?")
                types[name] = "";
        }
    }

    static void WriteRow(SepWriter writer, Dictionary<string, (string Title, string Type)> columns, string line)
    {
        using var json = JsonDocument.Parse(line);
        var document = json.RootElement.GetProperty("document"u8);
        using var row = writer.NewRow();
        foreach (var (name, (title, type)) in columns)
        {
            bool isThere = name == KeyColumn ? json.RootElement.TryGetProperty("key"u8, out var value) : document.TryGetProperty(name, out value);
            row[title].Set(isThere ? CsvValue.Format(value, type) : "");
        }
    }
}
