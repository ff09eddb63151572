using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Datacake.Tool.Terminal;
using nietras.SeparatedValues;

namespace Datacake.Tool.Transfers;

/// <summary>Reads CSV in blocks of JSON Lines. The first row has the names of the properties, and <see cref="CsvWriter.KeyColumn"/>.</summary>
static class CsvReader
{
    static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="file">The path of the file.</param>
    /// <param name="position">The number of rows to skip.</param>
    public static IEnumerable<ImportBlock> Read(string file, long position)
    {
        using var reader = new Sep(',').Reader(static options => options with { Unescape = true }).FromFile(file);
        (string Name, string Type)[] columns = [.. reader.Header.ColNames.Select(CsvValue.Split)];
        int key = Array.FindIndex(columns, static column => column.Name == CsvWriter.KeyColumn);
        if (key < 0)
            throw new ToolException(ExitCode.Usage, $"The first line of {file} has no column {CsvWriter.KeyColumn}. Give the column with the keys this name.");
        var lines = new ArrayBufferWriter<byte>(2 * ImportBlock.Length);
        using var json = new Utf8JsonWriter(lines, Relaxed);
        int documents = 0;
        long rows = 0, line = 0;
        while (reader.MoveNext())
        {
            if (rows++ < position)
                continue;
            (documents, line) = (documents + 1, WriteRow(reader.Current));
            if (lines.WrittenCount < ImportBlock.Length)
                continue;
            yield return new ImportBlock(lines.WrittenSpan.ToArray(), documents, rows, line);
            lines.ResetWrittenCount();
            documents = 0;
        }
        if (documents > 0)
            yield return new ImportBlock(lines.WrittenSpan.ToArray(), documents, rows, line);

        long WriteRow(SepReader.Row row)
        {
            long number = row.LineNumberFrom;
            json.WriteStartObject();
            json.WriteNumber("line"u8, number);
            string keyField = row[key].ToString();
            if (keyField.Length == 0)
                throw new InvalidDataException($"Line {number} has no key. Each row needs one.");
            json.WritePropertyName("key"u8);
            CsvValue.Write(json, keyField, columns[key].Type);
            json.WriteStartObject("document"u8);
            for (int i = 0; i < columns.Length; i++)
            {
                string field = row[i].ToString();
                if (i == key || field.Length == 0)
                    continue;
                json.WritePropertyName(columns[i].Name);
                CsvValue.Write(json, field, columns[i].Type);
            }
            json.WriteEndObject();
            json.WriteEndObject();
            json.Flush();
            json.Reset();
            lines.Write("\n"u8);
            return number;
        }
    }
}
