using Datacake.Data.Analyzers.CodeFixes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;

namespace Datacake.Data.Analyzers.Tests.Usage;

public class CodeFixTests
{
    const string Thing = "public class Thing { public long Id { get; set; } }\n";

    [Theory]
    [InlineData("class Db(DatacakeNode node) : DatacakeContext(node) { }", "partial class Db(DatacakeNode node) : DatacakeContext(node) { }")]
    [InlineData("/* shop */ class Db(DatacakeNode node) : DatacakeContext(node) { }", "/* shop */ partial class Db(DatacakeNode node) : DatacakeContext(node) { }")]
    [InlineData("public sealed class Db(DatacakeNode node) : DatacakeContext(node) { }", "public sealed partial class Db(DatacakeNode node) : DatacakeContext(node) { }")]
    [InlineData("class Outer { internal partial class Db(DatacakeNode node) : DatacakeContext(node) { } }", "partial class Outer { internal partial class Db(DatacakeNode node) : DatacakeContext(node) { } }")]
    public Task Context_and_its_containing_types_become_partial(string source, string expected) => FixesGeneratorErrorAsync(new PartialContextFix(), source, expected);

    [Theory]
    [InlineData("public Keyspace<Thing> Things { get; set; }")]
    [InlineData("public Keyspace<Thing> Things => null!;")]
    [InlineData("public Keyspace<Thing> Things { get; } = null!;")]
    [InlineData("public Keyspace<Thing> Things => Set<Thing>();")]
    [InlineData("public required Keyspace<Thing> Things { get; init; }")]
    public Task Keyspace_becomes_a_partial_property_with_a_getter(string property) => FixesGeneratorErrorAsync(new PartialKeyspaceFix(),
        $"{Thing}public partial class Db(DatacakeNode node) : DatacakeContext(node)\n{{\n    // All things.\n    {property}\n}}",
        $"{Thing}public partial class Db(DatacakeNode node) : DatacakeContext(node)\n{{\n    // All things.\n    public partial Keyspace<Thing> Things {{ get; }}\n}}");

    [Theory]
    [InlineData("async Task M(DatacakeContext db) { db.SaveChangesAsync(); }", "async Task M(DatacakeContext db) { await db.SaveChangesAsync(); }")]
    [InlineData("Func<Task> M(DatacakeContext db) => async () => { db.SaveChangesAsync(); };", "Func<Task> M(DatacakeContext db) => async () => { await db.SaveChangesAsync(); };")]
    [InlineData("public Task M(DatacakeContext db) { db.SaveChangesAsync(); return Task.CompletedTask; }", "public async Task M(DatacakeContext db) { await db.SaveChangesAsync(); }")]
    [InlineData("Task M(DatacakeContext db) { db.SaveChangesAsync(); return Task.Delay(1); }", "async Task M(DatacakeContext db) { await db.SaveChangesAsync(); await Task.Delay(1); }")]
    [InlineData("Task M(DatacakeContext? db) { if (db is null) return Task.CompletedTask; db.SaveChangesAsync(); return Task.CompletedTask; }", "async Task M(DatacakeContext? db) { if (db is null) return; await db.SaveChangesAsync(); }")]
    public async Task Dropped_task_is_awaited(string member, string expected)
    {
        string source = Wrap(member);
        var diagnostic = Assert.Single(await UsageRun.OfAsync(source));
        string result = Assert.Single(await ApplyAsync(new AwaitTaskFix(), source, diagnostic, GeneratorRun.Of(source).Output.SyntaxTrees.First().ToString()));
        Assert.Contains(expected, result, StringComparison.Ordinal);
        int start = result.IndexOf("using System.Threading.Tasks;", StringComparison.Ordinal);
        Assert.Empty(await UsageRun.OfAsync(result[start..]));
    }

    [Theory]
    [InlineData("void M(DatacakeContext db) { db.SaveChangesAsync(); }")]
    [InlineData("Task<int> M(DatacakeContext db) { db.SaveChangesAsync(); return Task.FromResult(1); }")]
    [InlineData("Task M(DatacakeContext? db) { if (db is null) return Task.Delay(1); db.SaveChangesAsync(); return Task.CompletedTask; }")]
    public async Task Method_whose_callers_would_have_to_change_has_no_fix(string member)
    {
        string source = Wrap(member);
        var diagnostic = Assert.Single(await UsageRun.OfAsync(source));
        Assert.Empty(await ApplyAsync(new AwaitTaskFix(), source, diagnostic, GeneratorRun.Of(source).Output.SyntaxTrees.First().ToString()));
    }

    static string Wrap(string member) => $"using System.Threading.Tasks;\nclass User {{ {member} }}";

    /// <summary>Applies the fix of the only error of the generator. After it, there is none.</summary>
    static async Task FixesGeneratorErrorAsync(CodeFixProvider fix, string source, string expected)
    {
        var run = GeneratorRun.Of(source);
        string text = run.Output.SyntaxTrees.First().ToString();
        string result = Assert.Single(await ApplyAsync(fix, source, Assert.Single(run.Diagnostics), text));
        Assert.EndsWith(expected, result, StringComparison.Ordinal);
        var again = GeneratorRun.Of(expected);
        Assert.Empty(again.Diagnostics);
        Assert.DoesNotContain(again.CompilerDiagnostics, static diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);
    }

    /// <summary>Returns the document after each of the actions that a fix offers.</summary>
    static async Task<List<string>> ApplyAsync(CodeFixProvider fix, string source, Diagnostic diagnostic, string text)
    {
        var token = TestContext.Current.CancellationToken;
        Assert.Contains(diagnostic.Id, fix.FixableDiagnosticIds);
        Assert.EndsWith(source, text, StringComparison.Ordinal);
        using var workspace = new AdhocWorkspace();
        var project = workspace.AddProject("Test", LanguageNames.CSharp)
            .WithMetadataReferences(GeneratorRun.References)
            .WithParseOptions(GeneratorRun.ParseOptions)
            .WithCompilationOptions(new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary));
        var document = project.AddDocument("Test.cs", text);
        var tree = await document.GetSyntaxTreeAsync(token);
        var actions = new List<CodeAction>();
        await fix.RegisterCodeFixesAsync(new CodeFixContext(
            document, Diagnostic.Create(diagnostic.Descriptor, Location.Create(tree!, diagnostic.Location.SourceSpan)), (action, _) => actions.Add(action), token));
        var results = new List<string>();
        foreach (var action in actions)
        {
            var change = Assert.Single((await action.GetOperationsAsync(token)).OfType<ApplyChangesOperation>());
            results.Add((await change.ChangedSolution.GetDocument(document.Id)!.GetTextAsync(token)).ToString());
        }
        return results;
    }
}
