using System.Text.RegularExpressions;

namespace Datacake.Operations.Tests;

/// <summary>The operations guide: its procedures with their commands, and what an operator should see after them.</summary>
static partial class Guide
{
    /// <summary>The heading of the section that defines variables and functions for all others.</summary>
    const string Preparation = "Before you begin";

    public static string Folder { get; } = Path.Combine(FindRoot(), "src", "Datacake.Hosting");

    static readonly Lazy<IReadOnlyDictionary<string, IReadOnlyList<GuideStep>>> Sections = new(() => Parse(File.ReadAllLines(Path.Combine(Folder, "OPERATIONS.md"))));

    /// <summary>Gets the headings of all sections with commands, except for the preparation.</summary>
    public static IEnumerable<string> Procedures => Sections.Value.Where(static section => section.Key != Preparation && section.Value.Count > 0).Select(static section => section.Key);

    /// <summary>Gets the variables that an operator sets for the cluster.</summary>
    public static IEnumerable<string> Variables => Assignment().Matches(Sections.Value[Preparation][0].Commands).Select(static name => name.Groups[1].Value);

    /// <summary>Gets the functions that the procedures use.</summary>
    public static string Functions => Sections.Value[Preparation][1].Commands;

    /// <summary>Returns the steps of a procedure.</summary>
    public static IReadOnlyList<GuideStep> StepsOf(string procedure) => Sections.Value.GetValueOrDefault(procedure) is { Count: > 0 } steps
        ? steps
        : throw new InvalidOperationException($"OPERATIONS.md has no commands under the heading '{procedure}'.");

    static Dictionary<string, IReadOnlyList<GuideStep>> Parse(string[] lines)
    {
        var sections = new Dictionary<string, IReadOnlyList<GuideStep>>();
        string heading = "";
        var steps = new List<GuideStep>();
        List<string>? commands = null;
        foreach (string line in lines)
        {
            if (commands is not null)
            {
                if (line != "```")
                    commands.Add(line);
                else
                {
                    steps.Add(new GuideStep(string.Join('\n', commands), []));
                    commands = null;
                }
            }
            else if (line == "```bash")
                commands = [];
            else if (Heading().Match(line) is { Success: true } match)
            {
                sections[heading] = steps;
                (heading, steps) = (match.Groups[1].Value, []);
            }
            else if (steps.Count > 0 && line.StartsWith("You should see ", StringComparison.Ordinal))
                steps[^1] = steps[^1] with { Expected = [.. steps[^1].Expected, .. Code().Matches(line).Select(static code => code.Groups[1].Value)] };
        }
        sections[heading] = steps;
        return sections;
    }

    static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Datacake.Data.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException("The tests must run from the output of their build, below the repository.");
    }

    [GeneratedRegex("^##+ (.*)$")]
    private static partial Regex Heading();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"(?:^|\s)([A-Z][A-Z0-9_]*)=", RegexOptions.Multiline)]
    private static partial Regex Assignment();
}
