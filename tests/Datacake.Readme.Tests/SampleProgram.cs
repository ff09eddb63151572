using System.Globalization;
using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using System.Text.RegularExpressions;
using Datacake.Data.Analyzers;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;

namespace Datacake.Readme.Tests;

/// <summary>
/// The program that a document's samples and their setup make together. A setup is C# with lines such as <c>// sample 2</c>, where the statements or members of the
/// second block belong, and <c>// types of sample 2</c>, where its types belong. Each class of it has a method <c>RunAsync</c> that runs samples and checks what they do.
/// </summary>
static partial class SampleProgram
{
    public static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.Latest);

    // The namespaces that every project has, and the tests.
    const string Usings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Datacake.Readme.Tests;
        global using Xunit;
        """;

    // References to other versions of the framework's assemblies, which the SDK leaves out, too.
    static readonly Dictionary<string, ReportDiagnostic> LeftOut = new() { ["CS1701"] = ReportDiagnostic.Suppress, ["CS1702"] = ReportDiagnostic.Suppress };

    static readonly MetadataReference[] References = [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
        .Split(Path.PathSeparator).Select(static path => MetadataReference.CreateFromFile(path))];

    /// <summary>Compiles the samples of a document, with all warnings.</summary>
    public static Assembly Compile(Document document)
    {
        string[] errors = Build(document, File.ReadAllText(document.SetupPath), out var image, out var symbols);
        Assert.True(errors.Length == 0, string.Join('\n', errors));
        return AssemblyLoadContext.Default.LoadFromStream(image, symbols);
    }

    /// <summary>Runs everything that a compiled setup has.</summary>
    public static async Task RunAsync(Document document, Assembly program)
    {
        var steps = program.GetTypes().Select(static type => type.GetMethod("RunAsync", BindingFlags.Static | BindingFlags.Public, [])).OfType<MethodInfo>();
        // A document that failed may have left some.
        Samples.TakeReached();
        foreach (var step in steps)
        {
            using var place = Samples.Enter();
            await (Task)step.Invoke(null, null)!;
        }
        Assert.Equal(document.Samples.Select(static sample => sample.Number), Samples.TakeReached());
    }

    static string[] Build(Document document, string setup, out MemoryStream image, out MemoryStream symbols)
    {
        var placed = new HashSet<string>();
        var body = new StringBuilder();
        foreach (var (index, line) in setup.ReplaceLineEndings("\n").Split('\n').Index())
        {
            if (Place().Match(line) is not { Success: true } place)
            {
                body.AppendLine(line);
                continue;
            }
            var sample = document.Samples[int.Parse(place.Groups["number"].ValueSpan, null) - 1];
            placed.Add(place.Value.Trim());
            body.Append(place.Groups["types"].Success ? sample.TypesOf(document.Name) : sample.StatementsOf(document.Name));
            body.Append(CultureInfo.InvariantCulture, $"#line {index + 2} \"{Path.GetFileName(document.SetupPath)}\"\n");
        }
        string usings = string.Concat(document.Samples.Where(static sample => !sample.IsFile).Select(sample => sample.UsingsOf(document.Name)));
        var files = document.Samples.Where(static sample => sample.IsFile).Select(static sample => sample.Text)
            .Append(Usings)
            .Append($"{usings}\n#line 1 \"{Path.GetFileName(document.SetupPath)}\"\n{body}");

        Compilation compilation = CSharpCompilation.Create(
            $"Samples of {document.Name.Replace('/', ' ')}",
            files.Select(static (file, index) => CSharpSyntaxTree.ParseText(SourceText.From(file, Encoding.UTF8), ParseOptions, $"{index}.cs")),
            References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, specificDiagnosticOptions: LeftOut));
        CSharpGeneratorDriver.Create(new DatacakeGenerator().AsSourceGenerator()).WithUpdatedParseOptions(ParseOptions)
            .RunGeneratorsAndUpdateCompilation(compilation, out compilation, out var findings);
        image = new MemoryStream();
        symbols = new MemoryStream();
        var emitted = compilation.Emit(image, symbols);
        image.Position = symbols.Position = 0;
        return
        [
            .. document.Samples.Where(static sample => !sample.IsFile).SelectMany(sample => MissingPlaces(sample, document.Name, placed)),
            .. emitted.Diagnostics.Concat(findings).Where(static finding => finding.Severity >= DiagnosticSeverity.Warning).Distinct().Select(static finding => finding.ToString()),
        ];
    }

    static IEnumerable<string> MissingPlaces(Sample sample, string document, HashSet<string> placed)
    {
        if (sample.TypesOf(document).Length > 0 && !placed.Contains($"// types of sample {sample.Number}"))
            yield return $"{document}({sample.Line}): the setup has no place for the types of sample {sample.Number}.";
        if (sample.StatementsOf(document).Length > 0 && !placed.Contains($"// sample {sample.Number}"))
            yield return $"{document}({sample.Line}): the setup has no place for the statements of sample {sample.Number}.";
    }

    [GeneratedRegex(@"^\s*// (?<types>types of )?sample (?<number>\d+)$")]
    private static partial Regex Place();
}
