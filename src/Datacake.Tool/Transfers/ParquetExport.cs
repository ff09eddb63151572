using System.Text.Json;
using Parquet;
using Parquet.Schema;

namespace Datacake.Tool.Transfers;

/// <summary>
/// Turns exported JSON Lines into Parquet: the columns are the properties of all documents, in the order in which they occur, with the type
/// that fits all values of the column. A missing property and one that is null are both null.
/// </summary>
static class ParquetExport
{
    /// <summary>The number of rows that are in memory.</summary>
    const int RowsPerGroup = 50_000;

    /// <param name="source">The path of a file of JSON Lines.</param>
    /// <param name="target">The path of the Parquet file.</param>
    /// <param name="cancellationToken">A token that ends the work.</param>
    public static async Task ConvertAsync(string source, string target, CancellationToken cancellationToken)
    {
        var types = FindTypes(source, cancellationToken);
        var columns = types.ToDictionary(static entry => entry.Key, static entry => ParquetColumn.Create(entry.Key, entry.Value));
        var stream = File.Create(target);
        await using (stream.ConfigureAwait(false))
        {
            var schema = new ParquetSchema(columns.Values.Select(static column => (Field)column.Field));
            var options = new ParquetOptions { CompressionMethod = CompressionMethod.Zstd };
            var writer = await ParquetWriter.CreateAsync(schema, stream, options, cancellationToken: cancellationToken).ConfigureAwait(false);
            await using (writer.ConfigureAwait(false))
            {
                writer.CustomMetadata = new Dictionary<string, string>
                {
                    [ParquetTypes.MetadataKey] = JsonSerializer.Serialize(new Dictionary<string, string>(types), ParquetTypesJson.Default.DictionaryStringString),
                };
                int rows = 0;
                foreach (string line in File.ReadLines(source))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    Add(columns, line);
                    if (++rows % RowsPerGroup == 0)
                        await WriteAsync().ConfigureAwait(false);
                }
                if (rows == 0 || rows % RowsPerGroup > 0)
                    await WriteAsync().ConfigureAwait(false);

                async Task WriteAsync()
                {
                    using var group = writer.CreateRowGroup();
                    foreach (var column in columns.Values)
                        await column.WriteAsync(group, cancellationToken).ConfigureAwait(false);
                }
            }
        }
    }

    static OrderedDictionary<string, string> FindTypes(string source, CancellationToken cancellationToken)
    {
        // Null has no type: a column with nulls only is one of JSON.
        var types = new OrderedDictionary<string, string?> { [CsvWriter.KeyColumn] = null };
        foreach (string line in File.ReadLines(source))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var row = JsonDocument.Parse(line);
            Note(CsvWriter.KeyColumn, row.RootElement.GetProperty("key"u8));
            foreach (var property in row.RootElement.GetProperty("document"u8).EnumerateObject())
                Note(property.Name, property.Value);
        }
        return new OrderedDictionary<string, string>(types.Select(static entry => KeyValuePair.Create(entry.Key, entry.Value ?? ParquetTypes.Json)));

        void Note(string name, JsonElement value)
        {
            string? before = types.GetValueOrDefault(name);
            string? type = value.ValueKind == JsonValueKind.Null ? null : ParquetTypes.Of(value);
            types[name] = before is null ? type : type is null ? before : ParquetTypes.Merge(before, type);
        }
    }

    static void Add(Dictionary<string, ParquetColumn> columns, string line)
    {
        using var json = JsonDocument.Parse(line);
        var document = json.RootElement.GetProperty("document"u8);
        foreach (var (name, column) in columns)
        {
            bool isThere = name == CsvWriter.KeyColumn ? json.RootElement.TryGetProperty("key"u8, out var value) : document.TryGetProperty(name, out value);
            column.Add(isThere && value.ValueKind != JsonValueKind.Null ? value : null);
        }
    }
}
