using System.Text.RegularExpressions;

namespace Datacake.Readme.Tests;

/// <summary>A Markdown document of the repository that has samples.</summary>
/// <param name="Name">The path of the document within the repository, with slashes.</param>
/// <param name="Samples">The C# blocks of the document and what its diffs make of C#, in their order.</param>
sealed partial record Document(string Name, IReadOnlyList<Sample> Samples)
{
    /// <summary>Gets the root of the repository, which holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Gets all documents with samples.</summary>
    public static IReadOnlyList<Document> All { get; } = [.. Directory.EnumerateFiles(Root, "*.md", SearchOption.AllDirectories)
        .Select(static path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
        .Where(static name => !name.Split('/').Any(static folder => folder is "bin" or "obj"))
        .Order(StringComparer.Ordinal)
        .Select(static name => new Document(name, [.. BlocksOf(name, "csharp", "diff").Select(static (block, index) => new Sample(index + 1, block.Line, block.Text))]))
        .Where(static document => document.Samples.Count > 0)];

    /// <summary>Gets the path of the source that surrounds the samples.</summary>
    public string SetupPath => Path.Combine(Root, "tests", "Datacake.Readme.Tests", "Setups", Path.ChangeExtension(Name, ".cs").Replace('/', '.'));

    /// <summary>Returns the blocks of some languages, each with the number of its first line. A diff, which is one of C#, is returned as the text after it.</summary>
    public static IEnumerable<(int Line, string Text)> BlocksOf(string name, params string[] languages)
    {
        string text = File.ReadAllText(Path.Combine(Root, name)).ReplaceLineEndings("\n");
        return Block().Matches(text)
            .Where(block => languages.Contains(block.Groups["language"].Value))
            .Select(block => (text.AsSpan(0, block.Groups["text"].Index).Count('\n') + 1,
                block.Groups["language"].Value == "diff" ? AfterDiff(block.Groups["text"].Value) : block.Groups["text"].Value));
    }

    /// <summary>Returns the text that a diff results in. Removed lines are empty, so that the numbers of the others stay the same.</summary>
    static string AfterDiff(string diff) => string.Join('\n', diff.Split('\n').Select(static line => line is ['+' or ' ', ..] ? line[1..]
        : line is "" or ['-', ..] ? ""
        : throw new FormatException($"The line '{line}' of a diff begins with none of '+', '-' and a space.")));

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Datacake.Data.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} contains Datacake.Data.sln. Run the tests from their build output.");
    }

    [GeneratedRegex("^[ ]*```(?<language>[^\\n`]*)\\n(?<text>.*?)^[ ]*```[ ]*$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Block();
}
