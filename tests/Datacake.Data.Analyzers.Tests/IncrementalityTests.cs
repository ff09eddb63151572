using System.Diagnostics;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Datacake.Data.Analyzers.Tests;

/// <summary>Tests how much an edit regenerates in a project of 500 entity classes, each in its own file.</summary>
public sealed class IncrementalityTests(ITestOutputHelper output)
{
    const int Entities = 500;

    static int WarmUps => int.TryParse(Environment.GetEnvironmentVariable("DATACAKE_WARM_UPS"), out int number) ? number : 1;

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Edit_of_a_method_body_regenerates_nothing() => Edited(
        "Code.cs", source => source.Replace("return 1;", "return 2;", StringComparison.Ordinal), regenerated: 0);

    [Fact]
    public void Edit_of_a_method_body_in_an_entity_class_regenerates_nothing() => Edited(
        "Entity7.cs", source => source.Replace("Number + 1", "Number + 2", StringComparison.Ordinal), regenerated: 0);

    [Fact]
    public void Comment_in_the_file_of_a_context_regenerates_nothing() => Edited(
        "Context.cs", source => "// A comment.\n" + source, regenerated: 0);

    [Fact]
    public void New_property_of_an_entity_class_regenerates_only_its_model() => Edited(
        "Entity7.cs", source => source.Replace("public int Number", "public int Added { get; set; } public int Number", StringComparison.Ordinal), regenerated: 1);

    [Fact]
    public void New_property_of_an_owned_class_regenerates_only_the_models_that_use_the_class() => Edited(
        "Owned3.cs", source => source.Replace("public string City", "public int Added { get; set; } public string City", StringComparison.Ordinal), regenerated: Entities / 10);

    void Edited(string file, Func<string, string> edit, int regenerated)
    {
        var compilation = CSharpCompilation.Create(
            "Large", Sources().Select(source => Parse(source.Text, source.File)), GeneratorRun.References,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        var driver = CSharpGeneratorDriver.Create(
            [new DatacakeGenerator().AsSourceGenerator()],
            parseOptions: GeneratorRun.ParseOptions,
            driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true))
            .RunGenerators(compilation, Token);
        Assert.Equal(Entities + 1, driver.GetRunResult().GeneratedTrees.Length);
        Assert.Empty(driver.GetRunResult().Diagnostics);

        // Warm up the just-in-time compiler, so that the printed time is closer to the time in a running editor.
        for (int i = 0; i < WarmUps; i++)
            driver = driver.RunGenerators(compilation.AddSyntaxTrees(Parse("class Other;", "Other.cs")), Token);
        var old = compilation.SyntaxTrees.Single(tree => tree.FilePath == file);
        string changed = edit(old.ToString());
        Assert.NotEqual(old.ToString(), changed);
        var edited = compilation.ReplaceSyntaxTree(old, Parse(changed, file));
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        long started = Stopwatch.GetTimestamp();
        driver = driver.RunGenerators(edited, Token);
        output.WriteLine(
            $"An edit of {file}: {Stopwatch.GetElapsedTime(started).TotalMilliseconds:0} ms, {(Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalMilliseconds:0} ms of CPU time in the process.");

        var result = driver.GetRunResult().Results.Single();
        var outputs = result.TrackedOutputSteps.SelectMany(step => step.Value).SelectMany(step => step.Outputs).ToList();
        Assert.Equal(Entities + 1, outputs.Count);
        Assert.Equal(regenerated, outputs.Count(one => one.Reason is IncrementalStepRunReason.Modified or IncrementalStepRunReason.New));
        Assert.Equal(
            regenerated,
            result.TrackedSteps[DatacakeGenerator.EntitiesStep].SelectMany(step => step.Outputs).Count(one => one.Reason == IncrementalStepRunReason.Modified));
    }

    static IEnumerable<(string File, string Text)> Sources()
    {
        yield return ("Usings.cs", "global using System; global using System.Collections.Generic; global using Datacake.Data; global using Datacake.Node;");
        yield return ("Code.cs", "static class Code { static int Run() { return 1; } }");
        var properties = new StringBuilder();
        for (int i = 0; i < Entities; i++)
        {
            yield return ($"Entity{i}.cs", $$"""
                public class Entity{{i}}
                {
                    public long Id { get; set; }
                    public string Name { get; set; } = "";
                    [Index] public int Number { get; set; }
                    public decimal? Price { get; private set; }
                    public DateTimeOffset At { get; init; }
                    public HashSet<string> Tags { get; } = [];
                    public List<Line> Lines { get; set; } = [];
                    public Owned{{i % 10}}? Owned { get; set; }
                    [Counter] public int Stock { get; set; }
                    public bool IsDone { get; set; }
                    public int Next() => Number + 1;
                }
                """);
            properties.Append(System.Globalization.CultureInfo.InvariantCulture, $"    public partial Keyspace<Entity{i}> Set{i} {{ get; }}\n");
        }
        for (int i = 0; i < 10; i++)
            yield return ($"Owned{i}.cs", $"public class Owned{i} {{ public string City {{ get; set; }} = \"\"; public int? Code {{ get; set; }} }}");
        yield return ("Line.cs", "public record Line(string Text, int Count, decimal Price);");
        yield return ("Context.cs", $"public partial class LargeContext(DatacakeNode node) : DatacakeContext(node)\n{{\n{properties}}}\n");
    }

    static SyntaxTree Parse(string source, string path) => CSharpSyntaxTree.ParseText(source, GeneratorRun.ParseOptions, path, Encoding.UTF8, Token);
}
