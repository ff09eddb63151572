using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Datacake.Data.Analyzers.Tests;

/// <summary>Runs the generator over source text, as the compiler would.</summary>
sealed class GeneratorRun
{
    internal static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.Latest);

    internal static readonly IReadOnlyList<MetadataReference> References =
        [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path))];

    const string Usings = """
        global using System;
        global using System.Collections.Generic;
        global using System.ComponentModel.DataAnnotations;
        global using Datacake.Data;
        global using Datacake.Node;

        """;

    const string Context = """

        sealed partial class TestContext(DatacakeNode node) : DatacakeContext(node)
        {
            internal partial Keyspace<Thing> Things { get; }
        }
        """;

    GeneratorRun(GeneratorDriver driver, Compilation output)
    {
        Driver = driver;
        Output = output;
    }

    public GeneratorDriver Driver { get; }

    public Compilation Output { get; }

    public IReadOnlyList<Diagnostic> Diagnostics => Driver.GetRunResult().Diagnostics;

    /// <summary>Gets the compiler's errors and warnings for the source and the generated code together.</summary>
    public IEnumerable<Diagnostic> CompilerDiagnostics =>
        Output.GetDiagnostics(TestContext.Current.CancellationToken).Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning);

    /// <summary>Runs the generator over a class <c>Thing</c> and a context with a keyspace of it.</summary>
    public static GeneratorRun OfThing(string source) => Of(source + Context);

    /// <param name="source">The source to compile.</param>
    /// <param name="references">References in addition to .NET and Datacake.</param>
    public static GeneratorRun Of(string source, params IEnumerable<MetadataReference> references) => Run(CompilationOf(source).AddReferences(references), CSharpGeneratorDriver.Create(
        [new DatacakeGenerator().AsSourceGenerator()],
        parseOptions: ParseOptions,
        driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true)));

    /// <summary>Compiles the output to an assembly that another compilation can reference.</summary>
    public MetadataReference ToCompiledReference()
    {
        using var image = new MemoryStream();
        var emitted = Output.Emit(image, cancellationToken: TestContext.Current.CancellationToken);
        Assert.True(emitted.Success, string.Join("\n", emitted.Diagnostics));
        return MetadataReference.CreateFromImage(image.ToArray());
    }

    /// <summary>Runs the generator again after a change of the source.</summary>
    public GeneratorRun Again(Func<string, string> change) =>
        Run(CompilationOf(change(Output.SyntaxTrees.First().ToString())), Driver);

    public IEnumerable<IncrementalStepRunReason> ReasonsOf(string step) =>
        Driver.GetRunResult().Results.Single().TrackedSteps[step].SelectMany(run => run.Outputs).Select(output => output.Reason);

    static GeneratorRun Run(CSharpCompilation compilation, GeneratorDriver driver)
    {
        driver = driver.RunGeneratorsAndUpdateCompilation(compilation, out var output, out _, TestContext.Current.CancellationToken);
        return new GeneratorRun(driver, output);
    }

    static CSharpCompilation CompilationOf(string source)
    {
        string text = source.StartsWith(Usings, StringComparison.Ordinal) ? source : Usings + source;
        return CSharpCompilation.Create(
            "Test",
            [CSharpSyntaxTree.ParseText(text, ParseOptions, path: "Test.cs")],
            References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: true));
    }
}
