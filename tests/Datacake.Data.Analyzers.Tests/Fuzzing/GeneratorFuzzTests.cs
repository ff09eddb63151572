using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers.Tests.Fuzzing;

/// <summary>
/// Tests that for every random model, either the generated code compiles without a warning and its model can be created, or the
/// generator reports an error. It never crashes.
/// </summary>
public sealed partial class GeneratorFuzzTests(ITestOutputHelper output)
{
    const int ModelsPerCompilation = 100;

    readonly List<string> _failures = [];
    readonly HashSet<string> _refused = [], _tame = [];
    readonly SortedDictionary<string, int> _codes = [];
    byte[] _domain = [];        // the assembly with the entity classes of some models
    int _relations, _repeated;

    static int Count => int.TryParse(Environment.GetEnvironmentVariable("DATACAKE_FUZZ_MODELS"), out int number) ? number : 200;

    static int FirstSeed => int.TryParse(Environment.GetEnvironmentVariable("DATACAKE_FUZZ_SEED"), out int number) ? number : 1;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Random_models_compile_or_are_refused_with_an_error_code()
    {
        int valid = 0;
        foreach (int[] seeds in Enumerable.Range(FirstSeed, Count).Chunk(ModelsPerCompilation))
        {
            var sources = seeds.ToDictionary(seed => $"M{seed}", RandomModel.Write);
            var domains = Valid(sources.Where(source => source.Value.Domain is not null).ToDictionary(source => source.Key, source => Parse(source.Key, source.Value.Domain!)), []);
            using var image = new MemoryStream();
            Assert.True(CompilationOf("Domain", domains.Values, []).Emit(image, cancellationToken: Token).Success);
            _domain = image.ToArray();
            var reference = MetadataReference.CreateFromImage(_domain);
            var models = Valid(sources.Where(source => source.Value.Domain is null || domains.ContainsKey(source.Key)).ToDictionary(source => source.Key, source => Parse(source.Key, source.Value.Model)), [reference]);
            valid += models.Count;
            _tame.UnionWith(models.Where(tree => tree.Value.ToString().StartsWith(RandomModel.Tame, StringComparison.Ordinal)).Select(tree => tree.Key));
            Run(CompilationOf("Fuzz", models.Values, [reference]));
        }
        if (Count == 1)
            output.WriteLine($"{RandomModel.Write(FirstSeed).Domain}\n{RandomModel.Write(FirstSeed).Model}");
        output.WriteLine($"{Count} models from seed {FirstSeed}: {valid} are valid C#, of which {_refused.Count} have errors of the generator ({string.Join(", ", _codes.Select(code => $"{code.Key}: {code.Value}"))}), "
            + $"including {_refused.Intersect(_tame).Count()} of the {_tame.Count} models that use only supported features. "
            + $"The other models have {_relations} relations and {_repeated} files with repeated model code.");
        Assert.True(_failures.Count == 0, $"{_failures.Count} failures:\n{string.Join("\n", _failures)}");
        Assert.True(Count < 100 || valid > Count / 2, $"Only {valid} of {Count} models are valid C#.");
        Assert.True(Count < 100 || _refused.Count < valid / 2, $"{_refused.Count} of {valid} models have errors.");
    }

    /// <summary>
    /// Removes models that are not valid C#, apart from the unimplemented keyspaces, because they say nothing about the generator. The
    /// compiler does not report all errors at once, so this method compiles until no errors are left.
    /// </summary>
    Dictionary<string, SyntaxTree> Valid(Dictionary<string, SyntaxTree> trees, IReadOnlyList<MetadataReference> references)
    {
        for (int before = trees.Count + 1; trees.Count < before;)
        {
            before = trees.Count;
            foreach (var (model, problem) in Problems(CompilationOf("Valid", trees.Values, references), isOwn: true))
            {
                trees.Remove(model);
                if (Count == 1)
                    output.WriteLine(problem.ToString());
            }
        }
        return trees;
    }

    void Run(CSharpCompilation compilation)
    {
        var driver = CSharpGeneratorDriver.Create([new DatacakeGenerator().AsSourceGenerator()], parseOptions: GeneratorRun.ParseOptions)
            .RunGeneratorsAndUpdateCompilation(compilation, out var generated, out _, Token);
        var result = driver.GetRunResult();
        if (result.Results.Any(one => one.Exception is not null))
        {
            var models = compilation.SyntaxTrees;
            if (models.Length == 1)
                _failures.Add($"{models[0].FilePath}: the generator crashed: {result.Results[0].Exception}");
            // Find the model that makes the generator crash.
            else
            {
                foreach (var model in models)
                    Run(compilation.RemoveAllSyntaxTrees().AddSyntaxTrees(model));
            }
            return;
        }
        _failures.AddRange(result.Diagnostics.Where(diagnostic => !diagnostic.Id.StartsWith("DCD", StringComparison.Ordinal) || diagnostic.Location == Location.None)
            .Select(diagnostic => diagnostic.ToString()));
        var refused = result.Diagnostics.Select(diagnostic => ModelOf(diagnostic.Location.GetLineSpan().Path)).ToHashSet();
        _refused.UnionWith(refused);
        foreach (var code in result.Diagnostics.GroupBy(diagnostic => diagnostic.Id))
            _codes[code.Key] = _codes.GetValueOrDefault(code.Key) + code.Select(diagnostic => ModelOf(diagnostic.Location.GetLineSpan().Path)).Distinct().Count();
        var problems = Problems(generated, isOwn: false).ToList();
        foreach (var (seed, problem) in problems)
            _failures.Add($"{seed}: {problem}");
        var left = generated.SyntaxTrees.Where(tree => refused.Contains(ModelOf(tree.FilePath)) || problems.Exists(problem => problem.Model == ModelOf(tree.FilePath))).ToList();
        var compiled = generated.RemoveSyntaxTrees(left);
        _failures.AddRange(LoadedModels.Check(compiled, _domain, Token));
        foreach (var model in compiled.SyntaxTrees.GroupBy(tree => ModelOf(tree.FilePath)))
            CheckMarks(model.Key, [.. model]);
    }

    /// <summary>Checks that the generated code contains all code of the model, because only generated code runs.</summary>
    void CheckMarks(string model, IReadOnlyList<SyntaxTree> trees)
    {
        string generated = string.Concat(trees.Where(tree => tree.FilePath.EndsWith(".g.cs", StringComparison.Ordinal)).Select(tree => tree.ToString()));
        _relations += generated.Split("RelationModel<").Length / 2;
        _repeated += trees.Count(tree => tree.FilePath.Contains(".Model", StringComparison.Ordinal));
        var source = trees.Single(tree => tree.FilePath == $"{model}.cs");
        foreach (var method in source.GetRoot(Token).DescendantNodes().OfType<MethodDeclarationSyntax>())
        {
            bool isApplied = method.Identifier.Text == "OnModelCreating" || (method is { Identifier.Text: "Configure", Parent: TypeDeclarationSyntax type }
                && Regex.IsMatch(source.ToString(), $@"ApplyConfiguration(<[^(]+>)?\(\(?new ([\w.<>@]+\.)?{type.Identifier.Text}\("));
            foreach (Match mark in Mark().Matches(isApplied ? method.ToString() : ""))
            {
                if (!Regex.IsMatch(generated, $"{mark.Value}(?!\\d)"))
                    _failures.Add($"{model}: {mark.Value} of {method.Identifier.Text} is lost");
            }
        }
    }

    /// <summary>Returns errors and warnings in generated code, each with its model.</summary>
    static IEnumerable<(string Model, Diagnostic Problem)> Problems(Compilation compilation, bool isOwn) => compilation.GetDiagnostics(Token)
        .Where(diagnostic => (diagnostic.Severity == DiagnosticSeverity.Error && !(isOwn && diagnostic.Id == "CS9248"))
            || (!isOwn && diagnostic.Severity == DiagnosticSeverity.Warning && diagnostic.Location.SourceTree?.FilePath.EndsWith(".g.cs", StringComparison.Ordinal) == true))
        .Select(diagnostic => (ModelOf(diagnostic.Location.SourceTree?.FilePath ?? ""), diagnostic))
        .DistinctBy(problem => problem.Item1);

    static string ModelOf(string? path) => new([.. Path.GetFileName(path ?? "").TakeWhile(char.IsLetterOrDigit)]);

    [GeneratedRegex(RandomModel.Mark + "\\d+")]
    private static partial Regex Mark();

    static SyntaxTree Parse(string model, string source) => CSharpSyntaxTree.ParseText(source, GeneratorRun.ParseOptions, $"{model}.cs", Encoding.UTF8, Token);

    static CSharpCompilation CompilationOf(string name, IEnumerable<SyntaxTree> trees, IEnumerable<MetadataReference> references) => CSharpCompilation.Create(
        name, trees, [.. GeneratorRun.References, .. references], new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: true));
}
