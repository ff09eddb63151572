using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Datacake.Administration.Json;
using Datacake.Tool.Terminal;
using Parquet;
using Parquet.Schema;

namespace Datacake.Tool.Transfers;

/// <summary>
/// Reads Parquet in blocks of JSON Lines. The columns are properties, and <see cref="CsvWriter.KeyColumn"/> is the key. Columns of other
/// programs have the types of Parquet: integers, floating-point numbers, decimals, texts, Booleans, bytes, GUIDs and times.
/// </summary>
static class ParquetImport
{
    static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="file">The path of the file.</param>
    /// <param name="position">The number of rows to skip.</param>
    /// <param name="cancellationToken">A token that ends the work.</param>
    public static async IAsyncEnumerable<ImportBlock> ReadAsync(string file, long position, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var reader = await OpenAsync(file, cancellationToken).ConfigureAwait(false);
        await using var disposal = reader.ConfigureAwait(false);
        var fields = FieldsOf(reader.Schema, file);
        var types = reader.CustomMetadata.TryGetValue(ParquetTypes.MetadataKey, out string? listed)
            ? JsonSerializer.Deserialize(listed, ParquetTypesJson.Default.DictionaryStringString) ?? []
            : [];
        var lines = new ArrayBufferWriter<byte>(2 * ImportBlock.Length);
        using var json = new Utf8JsonWriter(lines, Relaxed);
        long rows = 0;
        int documents = 0;
        for (int number = 0; number < reader.RowGroupCount; number++)
        {
            using var group = reader.OpenRowGroupReader(number);
            if (rows + group.RowCount <= position)
            {
                rows += group.RowCount;
                continue;
            }
            var columns = new List<Func<Utf8JsonWriter, int, bool>>();
            foreach (var field in fields)
                columns.Add(await ReadAsync(group, field, types.GetValueOrDefault(field.Name, ParquetTypes.Text), cancellationToken).ConfigureAwait(false));
            for (int row = 0; row < group.RowCount; row++)
            {
                if (rows++ < position)
                    continue;
                WriteRow(columns, row);
                documents++;
                if (lines.WrittenCount < ImportBlock.Length)
                    continue;
                yield return new ImportBlock(lines.WrittenSpan.ToArray(), documents, rows, rows);
                lines.ResetWrittenCount();
                documents = 0;
            }
        }
        if (documents > 0)
            yield return new ImportBlock(lines.WrittenSpan.ToArray(), documents, rows, rows);

        void WriteRow(List<Func<Utf8JsonWriter, int, bool>> columns, int row)
        {
            json.WriteStartObject();
            json.WriteNumber("line"u8, rows);
            json.WritePropertyName("key"u8);
            if (!columns[0](json, row))
                throw new InvalidDataException($"Row {rows} has no key. Each row needs one.");
            json.WriteStartObject("document"u8);
            for (int i = 1; i < columns.Count; i++)
                columns[i](json, row);
            json.WriteEndObject();
            json.WriteEndObject();
            json.Flush();
            json.Reset();
            lines.Write("\n"u8);
        }
    }

    static async Task<ParquetReader> OpenAsync(string file, CancellationToken cancellationToken)
    {
        try
        {
            return await ParquetReader.CreateAsync(file, cancellationToken: cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException and not UnauthorizedAccessException)
        {
            throw new ToolException(ExitCode.Usage, $"{file} is not a Parquet file that can be read: {e.Message}");
        }
    }

    /// <summary>Returns the columns, that of the key first.</summary>
    static List<DataField> FieldsOf(ParquetSchema schema, string file)
    {
        foreach (var field in schema.Fields)
        {
            if (field is not DataField { IsArray: false })
                throw new ToolException(ExitCode.Usage, $"The column {field.Name} of {file} has lists or structures. Write them as JSON text, or leave the column out.");
        }
        var fields = schema.DataFields.ToList();
        int key = fields.FindIndex(static field => field.Name == CsvWriter.KeyColumn);
        if (key < 0)
            throw new ToolException(ExitCode.Usage, $"{file} has no column {CsvWriter.KeyColumn}. Give the column with the keys this name.");
        return [fields[key], .. fields.Where((_, index) => index != key)];
    }

    /// <summary>
    /// Reads a column of a group. The function writes the value of a row, after the name of the property unless it is the key, and returns
    /// false if there is none.
    /// </summary>
    static async Task<Func<Utf8JsonWriter, int, bool>> ReadAsync(ParquetRowGroupReader group, DataField field, string type, CancellationToken cancellationToken)
    {
        string? name = field.Name == CsvWriter.KeyColumn ? null : field.Name;
        var clr = field.ClrType;
        if (clr == typeof(string) || clr == typeof(ReadOnlyMemory<char>))
        {
            string[] texts = new string[group.RowCount];
            await group.ReadAsync(field, texts, cancellationToken: cancellationToken).ConfigureAwait(false);
            return Writing(row => texts[row] is not null, (json, row) => ParquetTypes.Write(json, texts[row], type));
        }
        if (clr == typeof(byte[]) || clr == typeof(ReadOnlyMemory<byte>))
        {
            byte[][] values = new byte[group.RowCount][];
            await group.ReadAsync(field, values, cancellationToken: cancellationToken).ConfigureAwait(false);
            return Writing(row => values[row] is not null, (json, row) => ExtendedJson.WriteBytes(json, values[row], isPlain: false));
        }
        return clr == typeof(bool) ? await OfAsync<bool>(static (json, value) => json.WriteBooleanValue(value)).ConfigureAwait(false)
            : clr == typeof(long) ? await OfAsync<long>(static (json, value) => json.WriteNumberValue(value)).ConfigureAwait(false)
            : clr == typeof(int) ? await OfAsync<int>(static (json, value) => json.WriteNumberValue(value)).ConfigureAwait(false)
            : clr == typeof(short) ? await OfAsync<short>(static (json, value) => json.WriteNumberValue(value)).ConfigureAwait(false)
            : clr == typeof(sbyte) ? await OfAsync<sbyte>(static (json, value) => json.WriteNumberValue(value)).ConfigureAwait(false)
            : clr == typeof(byte) ? await OfAsync<byte>(static (json, value) => json.WriteNumberValue(value)).ConfigureAwait(false)
            : clr == typeof(ushort) ? await OfAsync<ushort>(static (json, value) => json.WriteNumberValue(value)).ConfigureAwait(false)
            : clr == typeof(uint) ? await OfAsync<uint>(static (json, value) => json.WriteNumberValue(value)).ConfigureAwait(false)
            : clr == typeof(ulong) ? await OfAsync<ulong>(static (json, value) => json.WriteNumberValue(value)).ConfigureAwait(false)
            : clr == typeof(double) ? await OfAsync<double>(ExtendedJson.WriteDouble).ConfigureAwait(false)
            : clr == typeof(float) ? await OfAsync<float>(static (json, value) => WriteTyped(json, "$single", value.ToString("R", CultureInfo.InvariantCulture))).ConfigureAwait(false)
            : clr == typeof(decimal) ? await OfAsync<decimal>(static (json, value) => ExtendedJson.WriteDecimal(json, value, isPlain: false)).ConfigureAwait(false)
            : clr == typeof(Guid) ? await OfAsync<Guid>(static (json, value) => ExtendedJson.WriteGuid(json, value, isPlain: false)).ConfigureAwait(false)
            : clr == typeof(DateTime) ? await OfAsync<DateTime>(static (json, value) => WriteTyped(
                json, "$dateTime", value.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", CultureInfo.InvariantCulture) + (value.Kind == DateTimeKind.Utc ? "Z" : ""))).ConfigureAwait(false)
            : throw new ToolException(ExitCode.Usage, $"The column {field.Name} has values of the type {clr.Name}, which cannot be imported. Convert them to text or numbers.");

        async Task<Func<Utf8JsonWriter, int, bool>> OfAsync<T>(Action<Utf8JsonWriter, T> write)
            where T : struct
        {
            if (!field.IsNullable)
            {
                var all = new T[group.RowCount];
                await group.ReadAsync<T>(field, all, cancellationToken: cancellationToken).ConfigureAwait(false);
                return Writing(static _ => true, (json, row) => write(json, all[row]));
            }
            var values = new T?[group.RowCount];
            await group.ReadAsync<T>(field, values, cancellationToken: cancellationToken).ConfigureAwait(false);
            return Writing(row => values[row] is not null, (json, row) => write(json, values[row]!.Value));
        }

        Func<Utf8JsonWriter, int, bool> Writing(Func<int, bool> isThere, Action<Utf8JsonWriter, int> write) => (json, row) =>
        {
            if (!isThere(row))
                return false;
            if (name is not null)
                json.WritePropertyName(name);
            write(json, row);
            return true;
        };
    }

    static void WriteTyped(Utf8JsonWriter json, string type, string text)
    {
        json.WriteStartObject();
        json.WriteString(type, text);
        json.WriteEndObject();
    }
}
