using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Datacake.Administration;
using Datacake.Administration.Conditions;
using Datacake.Administration.Contracts;
using Datacake.Tool.Terminal;
using Spectre.Console;

namespace Datacake.Tool.Commands;

/// <summary>The commands that read and write documents: get, put, delete, query and watch.</summary>
static class DocumentCommands
{
    static readonly JsonWriterOptions Indented = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    static readonly Argument<string> Document = new("JSON") { Description = "The document, a JSON object. A hyphen reads it from standard input." };
    static readonly Option<bool> Writers = new("--writers") { Description = "Show each value with the node that wrote it, and when." };
    static readonly Option<string?> Where = new("--where") { HelpName = "CONDITION", Description = "A condition, such as \"Price > 10 and Name = 'Madeira'\"." };
    static readonly Option<string?> After = new("--after") { HelpName = "KEY", Description = "The key after which to begin." };
    static readonly Option<int> Take = new("--take") { HelpName = "COUNT", Description = "The maximum number of documents.", DefaultValueFactory = static _ => 100 };
    static readonly Option<int?> TakeChanges = new("--take") { HelpName = "COUNT", Description = "End after so many changes. Default: run until Ctrl+C." };

    public static IEnumerable<Command> All =>
    [
        NodeCommand.Create("get", "Shows a document.", "get Cakes 7 --writers", [CommonArguments.Keyspace, CommonArguments.Key, Writers, CommonArguments.Exact], GetAsync),
        NodeCommand.Create("put", "Puts a document. Properties that the JSON does not name are removed.", "put Cakes 7 '{\"Name\": \"Madeira\", \"Price\": {\"$decimal\": \"12.50\"}}'",
            [CommonArguments.Keyspace, CommonArguments.Key, Document], async (parsed, client, output, token) =>
            {
                var document = JsonArguments.ReadDocument(parsed.GetRequiredValue(Document));
                var result = await client.PutAsync(parsed.GetRequiredValue(CommonArguments.Keyspace), KeyOf(parsed), document, token).ConfigureAwait(false);
                output.Write(result, AdministrationJson.Default.CommandResult, static result => new Text(result.Message + "\n"));
                return ExitCode.Good;
            }),
        NodeCommand.Create("delete", "Deletes a document.", "delete Cakes 7", [CommonArguments.Keyspace, CommonArguments.Key], async (parsed, client, output, token) =>
        {
            var result = await client.DeleteAsync(parsed.GetRequiredValue(CommonArguments.Keyspace), KeyOf(parsed), token).ConfigureAwait(false);
            output.Write(result, AdministrationJson.Default.CommandResult, static result => new Text(result.Message + "\n"));
            return ExitCode.Good;
        }),
        NodeCommand.Create("query", "Lists documents that satisfy a condition, in the order of their keys. It reads the keyspace from its start, or from --after.",
            "query Cakes --where \"Price > 10 and Name = 'Madeira'\" --take 20", [CommonArguments.Keyspace, Where, After, Take, CommonArguments.Exact], QueryAsync),
        NodeCommand.Create("watch", "Shows the changes of a keyspace as they happen.", "watch Cakes", [CommonArguments.Keyspace, TakeChanges], WatchAsync),
    ];

    static JsonElement KeyOf(ParseResult parsed) => JsonArguments.ReadKey(parsed.GetRequiredValue(CommonArguments.Key));

    static async Task<ExitCode> GetAsync(ParseResult parsed, AdministrationClient client, Output output, CancellationToken cancellationToken)
    {
        string keyspace = parsed.GetRequiredValue(CommonArguments.Keyspace);
        var key = KeyOf(parsed);
        bool hasWriters = parsed.GetValue(Writers);
        var found = await client.GetDocumentAsync(keyspace, key, !parsed.GetValue(CommonArguments.Exact), cancellationToken).ConfigureAwait(false);
        if (found is null || (!found.Exists && !hasWriters))
        {
            output.Message($"The keyspace {keyspace} has no document with the key {key.GetRawText()}{(found is null ? "" : ", which was deleted. --writers shows what is kept of it")}.");
            return ExitCode.Findings;
        }
        if (hasWriters)
            output.Write(found, AdministrationJson.Default.DocumentDetail, RenderWriters);
        else
            output.Write(new DocumentRow(found.Key, found.Document!.Value), AdministrationJson.Default.DocumentRow, static row => new Text(Format(row.Document) + "\n"));
        return ExitCode.Good;
    }

    static Rows RenderWriters(DocumentDetail detail)
    {
        var table = Output.Table("Property", "Value", "Node", "Written at", "Kind", "Shown");
        foreach (var cell in detail.Cells)
        {
            Output.AddRow(table, cell.Element is { } element ? $"{cell.Property}[{element.GetRawText()}]" : cell.Property, cell.Value?.GetRawText() ?? "(removed)",
                $"{cell.NodeId}", cell.WrittenAt.ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture), cell.Kind, cell.IsShown ? "yes" : "no");
        }
        return new Rows(table, new Text(detail.Exists ? $"Put at {detail.Born ?? "no time: the document has only updates"}." : $"Deleted at {detail.Died}."));
    }

    static async Task<ExitCode> QueryAsync(ParseResult parsed, AdministrationClient client, Output output, CancellationToken cancellationToken)
    {
        string keyspace = parsed.GetRequiredValue(CommonArguments.Keyspace);
        var condition = parsed.GetValue(Where) is { } text ? ConditionParser.Parse(text) : null;
        int take = parsed.GetValue(Take);
        if (take < 1)
            throw new ToolException(ExitCode.Usage, "--take needs a positive number.");
        JsonElement? after = parsed.GetValue(After) is { } key ? JsonArguments.ReadKey(key) : null;
        var table = Output.Table("Key", "Document");
        int count = 0;
        string? last = null;
        bool isMore = false;
        // The condition compares plain values, so an exact list is read by key, in parts.
        await foreach (var block in client.ExportAsync(keyspace, after, !parsed.GetValue(CommonArguments.Exact), cancellationToken).ConfigureAwait(false))
        {
            foreach (string line in Encoding.UTF8.GetString(block.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                using var row = JsonDocument.Parse(line);
                var document = row.RootElement.GetProperty("document"u8);
                if (condition?.IsSatisfiedBy(document) == false)
                    continue;
                isMore = count == take;
                if (isMore)
                    break;
                count++;
                last = row.RootElement.GetProperty("key"u8).GetRawText();
                if (output.IsJson)
                    output.Line(line);
                else
                    Output.AddRow(table, last, document.GetRawText());
            }
            if (isMore)
                break;
        }
        if (!output.IsJson)
            output.Screen.Write(table);
        if (isMore)
            output.Message($"There are more. The next ones come with --after '{last}'.");
        return ExitCode.Good;
    }

    static async Task<ExitCode> WatchAsync(ParseResult parsed, AdministrationClient client, Output output, CancellationToken cancellationToken)
    {
        int? left = parsed.GetValue(TakeChanges);
        await foreach (var line in client.WatchAsync(parsed.GetRequiredValue(CommonArguments.Keyspace), cancellationToken).ConfigureAwait(false))
        {
            string text = Encoding.UTF8.GetString(line.Span).TrimEnd('\n');
            if (output.IsJson)
                output.Line(text);
            else
            {
                using var change = JsonDocument.Parse(text);
                var root = change.RootElement;
                string document = root.TryGetProperty("document"u8, out var content) ? $"{content.GetRawText()} by node {root.GetProperty("node"u8).GetRawText()}" : "";
                output.Line(Output.Clean($"{root.GetProperty("kind"u8).GetString()} {root.GetProperty("key"u8).GetRawText()} {document}".TrimEnd()));
            }
            if (--left <= 0)
                break;
        }
        return ExitCode.Good;
    }

    static string Format(JsonElement json)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Indented))
            json.WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
