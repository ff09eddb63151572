using System.Diagnostics;
using System.Reflection;
using System.Runtime.Loader;
using System.Text;
using Datacake.Node;
using Datacake.Sqlite;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Datacake.Data.Analyzers.Tests.Shapes;

/// <summary>The result of one shape.</summary>
/// <param name="Shape">The shape.</param>
/// <param name="Error">The code of the generator's error; null if it has none.</param>
/// <param name="Problem">The problem if the shape neither round-tripped nor was refused; otherwise null.</param>
sealed record Outcome(Shape Shape, string? Error, string? Problem);

/// <summary>Compiles shapes, and runs those that compile.</summary>
sealed class ShapeMatrix
{
    const int ShapesPerAssembly = 400;

    static readonly CSharpCompilationOptions Options = new(
        OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, optimizationLevel: OptimizationLevel.Debug);

    readonly Dictionary<Shape, Outcome> _outcomes = [];

    public IReadOnlyCollection<Outcome> Outcomes => _outcomes.Values;

    public static async Task<ShapeMatrix> RunAsync(IEnumerable<Shape> shapes, CancellationToken cancellationToken)
    {
        var matrix = new ShapeMatrix();
        foreach (var some in shapes.Chunk(ShapesPerAssembly))
            await matrix.RunAsync(some, cancellationToken);
        return matrix;
    }

    async Task RunAsync(Shape[] shapes, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        var domain = Compile("Domain", shapes.Where(shape => shape.IsReferenced).Select(shape => Parse(ShapeSource.Entity(shape), $"{shape.Namespace}.Entity.cs")), []);
        var (domainBytes, domainErrors) = Emit(domain, cancellationToken);
        Assert.True(domainBytes is not null, string.Join("\n", domainErrors.Take(10)));

        var compilation = Compile(
            "Shapes",
            shapes.Where(shape => !shape.IsReferenced).Select(shape => Parse(ShapeSource.Entity(shape), $"{shape.Namespace}.Entity.cs"))
                .Concat(shapes.Select(shape => Parse(ShapeSource.Context(shape), $"{shape.Namespace}.Context.cs"))),
            [MetadataReference.CreateFromImage(domainBytes)]);
        var driver = CSharpGeneratorDriver.Create([new DatacakeGenerator().AsSourceGenerator()], parseOptions: GeneratorRun.ParseOptions)
            .RunGeneratorsAndUpdateCompilation(compilation, out var output, out _, cancellationToken);
        var errors = new Dictionary<string, string>();
        foreach (var diagnostic in driver.GetRunResult().Diagnostics)
        {
            string file = diagnostic.Location.GetLineSpan().Path;
            Assert.True(diagnostic.Id.StartsWith("DCD", StringComparison.Ordinal) && file is { Length: > 0 }, diagnostic.ToString());
            errors.TryAdd(file.Split('.')[0], diagnostic.Id);
        }
        var running = shapes.Where(shape => !errors.ContainsKey(shape.Namespace)).ToList();
        output = output.AddSyntaxTrees(running.Select(shape => Parse(ShapeSource.Case(shape), $"{shape.Namespace}.Case.cs")));
        long generated = Stopwatch.GetTimestamp();
        // Compiler diagnostics in the generated code, or in the classes compiled with it, are problems of the shape.
        var (bytes, diagnostics) = Emit(output, cancellationToken);
        var problems = diagnostics.GroupBy(diagnostic => NamespaceOf(diagnostic.Location.SourceTree?.FilePath ?? "")).ToDictionary(group => group.Key, group => group.First().ToString());
        foreach (var shape in shapes)
            _outcomes[shape] = new Outcome(shape, errors.GetValueOrDefault(shape.Namespace), problems.GetValueOrDefault(shape.Namespace));
        Assert.DoesNotContain("", problems.Keys);
        if (bytes is null)
        {
            var broken = output.SyntaxTrees.Where(tree => problems.ContainsKey(NamespaceOf(tree.FilePath))).ToHashSet();
            output = output.RemoveAllSyntaxTrees().AddSyntaxTrees(output.SyntaxTrees.Where(tree => !broken.Contains(tree)));
            (bytes, diagnostics) = Emit(output, cancellationToken);
            Assert.True(bytes is not null, string.Join("\n", diagnostics.Take(10)));
        }
        long compiled = Stopwatch.GetTimestamp();
        // Load both assemblies into one context, so that the second finds the first.
        var loaded = new AssemblyLoadContext(name: "shapes");
        loaded.LoadFromStream(new MemoryStream(domainBytes));
        await RunAsync(loaded.LoadFromStream(new MemoryStream(bytes)), [.. running.Where(shape => !problems.ContainsKey(shape.Namespace))], cancellationToken);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{shapes.Length} shapes: generated in {Stopwatch.GetElapsedTime(started, generated).TotalSeconds:0.0} s, compiled in {Stopwatch.GetElapsedTime(generated, compiled).TotalSeconds:0.0} s, "
            + $"run in {Stopwatch.GetElapsedTime(compiled).TotalSeconds:0.0} s");
    }

    async Task RunAsync(Assembly assembly, List<Shape> shapes, CancellationToken cancellationToken)
    {
        string folder = Directory.CreateTempSubdirectory("datacake-shapes-").FullName;
        try
        {
            var cases = shapes.ToDictionary(shape => shape, shape => (ShapeCase)Activator.CreateInstance(assembly.GetType($"{shape.Namespace}.Case", throwOnError: true)!)!);
            await RunAllAsync(static (run, node) => run.RunAsync(node));
            await RunAllAsync(static (run, node) => run.ReadAgainAsync(node));

            async Task RunAllAsync(Func<ShapeCase, DatacakeNode, Task> run)
            {
                await using var node = await DatacakeNode.StartAsync(
                    options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseSqlite(Path.Combine(folder, "1.db")), cancellationToken);
                foreach (var shape in shapes.Where(shape => _outcomes[shape].Problem is null))
                {
                    try
                    {
                        await run(cases[shape], node);
                    }
                    catch (Exception e) when (e is not OperationCanceledException)
                    {
                        _outcomes[shape] = _outcomes[shape] with { Problem = $"{e.GetType().Name}: {e.Message}" };
                    }
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Returns the namespace of a file. The names of generated files start with the namespace, too.</summary>
    static string NamespaceOf(string path) =>
        path.Length == 0 ? "" : new([.. Path.GetFileName(path).TakeWhile(char.IsLetterOrDigit)]);

    static SyntaxTree Parse(string source, string path) => CSharpSyntaxTree.ParseText(source, GeneratorRun.ParseOptions, path, Encoding.UTF8);

    static CSharpCompilation Compile(string name, IEnumerable<SyntaxTree> trees, IEnumerable<MetadataReference> references) =>
        CSharpCompilation.Create($"{name}{Guid.NewGuid():n}", trees, [.. GeneratorRun.References, .. references], Options);

    static (byte[]? Bytes, IReadOnlyList<Diagnostic> Problems) Emit(Compilation compilation, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        var result = compilation.Emit(bytes, cancellationToken: cancellationToken);
        var problems = result.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error
            || (diagnostic.Severity == DiagnosticSeverity.Warning && diagnostic.Location.SourceTree?.FilePath.EndsWith(".g.cs", StringComparison.Ordinal) == true));
        return (result.Success ? bytes.ToArray() : null, [.. problems]);
    }
}
