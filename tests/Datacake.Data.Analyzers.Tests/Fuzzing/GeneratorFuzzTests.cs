using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Datacake.Data.Analyzers.Tests.Fuzzing;

/// <summary>Whatever the model: the generated code compiles without a warning, or there is an error of the generator; never a crash.</summary>
public sealed class GeneratorFuzzTests(ITestOutputHelper output)
{
    const int ModelsPerCompilation = 100;

    static int Count => int.TryParse(Environment.GetEnvironmentVariable("DATACAKE_FUZZ_MODELS"), out int number) ? number : 200;

    static int FirstSeed => int.TryParse(Environment.GetEnvironmentVariable("DATACAKE_FUZZ_SEED"), out int number) ? number : 1;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Random_models_compile_or_have_an_error_with_a_code()
    {
        var failures = new List<string>();
        int valid = 0, refused = 0;
        foreach (int[] seeds in Enumerable.Range(FirstSeed, Count).Chunk(ModelsPerCompilation))
        {
            var trees = seeds.ToDictionary(seed => $"M{seed}", seed => CSharpSyntaxTree.ParseText(RandomModel.Write(seed), GeneratorRun.ParseOptions, $"M{seed}.cs", Encoding.UTF8, Token));
            // What is no valid C# to begin with, but for keyspaces that nobody has implemented yet, says nothing of the generator.
            // The compiler does not report all at once, so it is asked until it has nothing to report.
            for (int before = trees.Count + 1; trees.Count < before;)
            {
                before = trees.Count;
                foreach (var (seed, _) in Problems(CompilationOf(trees.Values), isOwn: true))
                    trees.Remove(seed);
            }
            valid += trees.Count;
            var errors = Run(CompilationOf(trees.Values), failures);
            refused += errors;
        }
        if (Count == 1)
            output.WriteLine(RandomModel.Write(FirstSeed));
        output.WriteLine($"{Count} models from seed {FirstSeed}: {valid} are valid C#, of which {refused} have errors of the generator.");
        Assert.True(failures.Count == 0, $"{failures.Count} failures:\n{string.Join("\n", failures)}");
        Assert.True(Count < 100 || valid > Count / 2, $"Only {valid} of {Count} models are valid C#.");
    }

    /// <summary>Returns how many models the generator refuses.</summary>
    static int Run(CSharpCompilation compilation, List<string> failures)
    {
        var driver = CSharpGeneratorDriver.Create([new DatacakeGenerator().AsSourceGenerator()], parseOptions: GeneratorRun.ParseOptions)
            .RunGeneratorsAndUpdateCompilation(compilation, out var generated, out _, Token);
        var result = driver.GetRunResult();
        if (result.Results.Any(one => one.Exception is not null))
        {
            var models = compilation.SyntaxTrees;
            if (models.Length == 1)
            {
                failures.Add($"{models[0].FilePath}: the generator crashed: {result.Results[0].Exception}");
                return 0;
            }
            // Which of them is it?
            return models.Sum(model => Run(CompilationOf([model]), failures));
        }
        failures.AddRange(result.Diagnostics.Where(diagnostic => !diagnostic.Id.StartsWith("DCD", StringComparison.Ordinal)).Select(diagnostic => diagnostic.ToString()));
        foreach (var (seed, problem) in Problems(generated, isOwn: false))
            failures.Add($"{seed}: {problem}");
        return result.Diagnostics.Select(diagnostic => diagnostic.Location.GetLineSpan().Path).Distinct().Count();
    }

    /// <summary>Errors, and warnings in generated code, each with the model that it is of.</summary>
    static IEnumerable<(string Model, Diagnostic Problem)> Problems(Compilation compilation, bool isOwn) => compilation.GetDiagnostics(Token)
        .Where(diagnostic => (diagnostic.Severity == DiagnosticSeverity.Error && !(isOwn && diagnostic.Id == "CS9248"))
            || (!isOwn && diagnostic.Severity == DiagnosticSeverity.Warning && diagnostic.Location.SourceTree?.FilePath.EndsWith(".g.cs", StringComparison.Ordinal) == true))
        .Select(diagnostic => (new string([.. Path.GetFileName(diagnostic.Location.SourceTree?.FilePath ?? "").TakeWhile(char.IsLetterOrDigit)]), diagnostic))
        .DistinctBy(problem => problem.Item1);

    static CSharpCompilation CompilationOf(IEnumerable<SyntaxTree> trees) => CSharpCompilation.Create(
        "Fuzz", trees, GeneratorRun.References, new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: true));
}
