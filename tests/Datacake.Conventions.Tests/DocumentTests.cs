using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Conventions.Tests;

/// <summary>Documents name what there is.</summary>
public partial class DocumentTests
{
    public static TheoryData<string> Documents => [.. Directory.EnumerateFiles(Repository.Root, "*.md", SearchOption.AllDirectories)
        .Where(static path => !SourceProject.IsOutside(path))
        .Select(static path => Path.GetRelativePath(Repository.Root, path))
        .Order(StringComparer.Ordinal)];

    static readonly Lazy<HashSet<string>> Methods = new(static () => [.. Repository.Projects
        .SelectMany(static project => project.Files)
        .SelectMany(static file => file.GetRoot().DescendantNodes().OfType<MethodDeclarationSyntax>())
        .Select(static method => method.Identifier.ValueText)]);

    [Theory]
    [MemberData(nameof(Documents))]
    public void Test_that_a_document_names_exists(string document)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, document));

        string[] missing = [.. TestName().Matches(text).Select(static name => name.Groups[1].Value).Except(Methods.Value)];

        Assert.Empty(missing);
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void File_that_a_document_links_to_exists(string document)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, document));
        string folder = Path.GetDirectoryName(Path.Combine(Repository.Root, document))!;

        string[] broken = [.. Link().Matches(text).Select(static link => link.Groups[1].Value).Where(link => !Path.Exists(Path.Combine(folder, Uri.UnescapeDataString(link))))];

        Assert.Empty(broken);
    }

    [Fact]
    public void Type_that_the_glossary_links_to_refers_to_the_glossary()
    {
        string folder = Path.Combine(Repository.Root, "src", "Datacake.EventualConsistency");
        string glossary = File.ReadAllText(Path.Combine(folder, "PROTOCOL.md")).Split("## Messages")[0].Split("## Glossary")[1];

        string[] types = [.. Link().Matches(glossary).Select(static link => link.Groups[1].Value).Where(static link => !link.StartsWith("..", StringComparison.Ordinal)).Distinct()];
        string[] silent = [.. types.Where(type => !File.ReadAllText(Path.Combine(folder, type)).Contains("PROTOCOL.md", StringComparison.Ordinal))];

        Assert.NotEmpty(types);
        Assert.Empty(silent);
    }

    [GeneratedRegex(@"`([A-Z][A-Za-z0-9]*(?:_[A-Za-z0-9]*[a-z0-9]){2,})`")]
    private static partial Regex TestName();

    /// <summary>The target of a link that is not an address and not an anchor of the same document.</summary>
    [GeneratedRegex(@"\]\((?![a-z]+:|#)([^)#\s]+)")]
    private static partial Regex Link();
}
