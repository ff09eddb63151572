using Datacake.Tool.Terminal;

namespace Datacake.Tool.Transfers;

/// <summary>The formats of exported files.</summary>
enum FileKind
{
    /// <summary>JSON Lines: a document in each line, exactly.</summary>
    JsonLines,

    /// <summary>CSV: a column for each property.</summary>
    Csv,

    /// <summary>Parquet: a column for each property, with a type.</summary>
    Parquet,
}

/// <summary>Finds the format of a file.</summary>
static class FileKinds
{
    /// <summary>Returns the format that the extension of a file names.</summary>
    /// <exception cref="ToolException">The extension is unknown.</exception>
    public static FileKind Of(string file) => Path.GetExtension(file).ToUpperInvariant() switch
    {
        ".JSONL" or ".NDJSON" => FileKind.JsonLines,
        ".CSV" => FileKind.Csv,
        ".PARQUET" => FileKind.Parquet,
        var extension => throw new ToolException(ExitCode.Usage, $"The extension '{extension}' of {file} names no known format. Use .jsonl or .ndjson for JSON Lines, .csv, or .parquet."),
    };
}
