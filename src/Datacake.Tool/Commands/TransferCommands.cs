using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Datacake.Administration;
using Datacake.EventualConsistency;
using Datacake.Tool.Connections;
using Datacake.Tool.Terminal;
using Datacake.Tool.Transfers;
using Spectre.Console;

namespace Datacake.Tool.Commands;

/// <summary>The commands that copy documents between keyspaces and files: export and import.</summary>
static class TransferCommands
{
    static readonly Argument<string> File = new("FILE") { Description = "A file of JSON Lines (.jsonl, .ndjson), which keeps everything, of CSV (.csv), which loses types, or of Parquet (.parquet)." };
    static readonly Option<bool> Resume = new("--resume") { Description = "Continue where an earlier run has ended." };
    static readonly Option<bool> Types = new("--types") { Description = "Add types to the names of CSV columns, such as Price:decimal, so that an import restores them." };
    static readonly Option<Consistency> Level = new("--level") { Description = "The consistency level of the writes.", DefaultValueFactory = static _ => Consistency.Quorum };

    public static IEnumerable<Command> All =>
    [
        NodeCommand.Create("export", "Writes all documents of a keyspace to a file, in one snapshot.", "export Cakes cakes.jsonl", [CommonArguments.Keyspace, File, Resume, Types], ExportAsync),
        NodeCommand.Create("import", "Puts the documents of a file into a keyspace. The later put of a document wins.", "import Cakes cakes.jsonl --resume",
            [CommonArguments.Keyspace, File, Resume, Level], ImportAsync),
    ];

    static async Task<ExitCode> ExportAsync(ParseResult parsed, AdministrationClient client, Output output, CancellationToken cancellationToken)
    {
        string keyspace = parsed.GetRequiredValue(CommonArguments.Keyspace), file = Path.GetFullPath(parsed.GetRequiredValue(File));
        bool isResumed = parsed.GetValue(Resume);
        var kind = FileKinds.Of(file);
        string partial = file + ".part";
        if (Path.Exists(file))
            throw new ToolException(ExitCode.Usage, $"{file} exists already. Choose another name, or move it away.");
        if (!isResumed && Path.Exists(partial))
            throw new ToolException(ExitCode.Usage, $"{partial} is the beginning of an earlier export. Pass --resume to continue it, or delete it.");
        var found = (await client.ListKeyspacesAsync(cancellationToken).ConfigureAwait(false)).FirstOrDefault(entry => entry.Name == keyspace)
            ?? throw new ToolException(ExitCode.Findings, $"The node has no keyspace {keyspace}. 'datacake keyspaces' lists those that it has.");
        long start = Stopwatch.GetTimestamp(), count = 0;
        await ShowAsync(output, $"Exporting {keyspace}", found.Documents, async report =>
            count = await new JsonLinesExport(client, keyspace, partial).RunAsync(isResumed, report, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        if (kind == FileKind.JsonLines)
            System.IO.File.Move(partial, file);
        else
        {
            if (kind == FileKind.Csv)
                CsvWriter.Convert(partial, file + ".new", parsed.GetValue(Types), cancellationToken);
            else
                await ParquetExport.ConvertAsync(partial, file + ".new", cancellationToken).ConfigureAwait(false);
            System.IO.File.Move(file + ".new", file);
            System.IO.File.Delete(partial);
        }
        return Finish(output, keyspace, file, count, start);
    }

    static async Task<ExitCode> ImportAsync(ParseResult parsed, AdministrationClient client, Output output, CancellationToken cancellationToken)
    {
        string keyspace = parsed.GetRequiredValue(CommonArguments.Keyspace), file = Path.GetFullPath(parsed.GetRequiredValue(File));
        if (!System.IO.File.Exists(file))
            throw new ToolException(ExitCode.Usage, $"The file {file} does not exist. Check the path.");
        var kind = FileKinds.Of(file);
        bool isResumed = parsed.GetValue(Resume);
        if (isResumed && ImportProgress.Read(file, keyspace, parsed.GetValue(NodeOptions.Store)) is null)
            throw new ToolException(ExitCode.Usage, $"There is nothing to resume: {ImportProgress.PathOf(file)} is missing, or belongs to another keyspace, store or file. Import without --resume.");
        long start = Stopwatch.GetTimestamp(), count = 0;
        // The position in other files is a number of rows, of which the total is not known.
        long total = kind == FileKind.JsonLines ? new FileInfo(file).Length : 0;
        await ShowAsync(output, $"Importing {keyspace}", total, async report =>
            count = await new DocumentFileImport(client, parsed.GetValue(NodeOptions.Store), keyspace, file, parsed.GetValue(Level)).RunAsync(isResumed, (_, position) => report(position), cancellationToken)
                .ConfigureAwait(false)).ConfigureAwait(false);
        return Finish(output, keyspace, file, count, start);
    }

    static ExitCode Finish(Output output, string keyspace, string file, long count, long start)
    {
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        output.Write(new TransferResult(keyspace, file, count, seconds, count / seconds), ToolJson.Default.TransferResult, static result => new Text(string.Create(
            CultureInfo.InvariantCulture, $"{result.Documents:N0} documents of {result.Keyspace}, {result.DocumentsPerSecond:N0} per second.\n")));
        return ExitCode.Good;
    }

    /// <summary>Runs a transfer with a progress bar, if somebody sees it.</summary>
    static async Task ShowAsync(Output output, string title, long total, Func<Action<long>, Task> transfer)
    {
        if (Console.IsErrorRedirected)
        {
            await transfer(static _ => { }).ConfigureAwait(false);
            return;
        }
        await output.Messages.Progress().StartAsync(async context =>
        {
            var bar = context.AddTask(Markup.Escape(title), maxValue: Math.Max(total, 1));
            bar.IsIndeterminate = total == 0;
            await transfer(value => bar.Value = value).ConfigureAwait(false);
            bar.Value = bar.MaxValue;
        }).ConfigureAwait(false);
    }
}
