using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Conventions.Tests;

/// <summary>
/// Using directives have one order: those of System, then the others, by name; then static ones and aliases. <c>dotnet format</c> writes it, but the build does not check it.
/// </summary>
public class UsingTests
{
    public static TheoryData<string> Projects => [.. Repository.Projects.Select(static project => project.Name)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Using_directives_are_in_order(string name)
    {
        var project = Repository.Projects.Single(project => project.Name == name);

        var disordered = from file in project.Files
                         let usings = file.GetCompilationUnitRoot().Usings.Where(static directive => !directive.GlobalKeyword.IsKind(SyntaxKind.GlobalKeyword)).Select(TextOf).ToArray()
                         let ordered = usings.Order(StringComparer.OrdinalIgnoreCase).ToArray()
                         where !usings.SequenceEqual(ordered)
                         select $"{project.PathWithin(file)}: expected {string.Join(", ", ordered)}";

        Assert.Empty(disordered);
    }

    /// <summary>Returns a text for each directive that compares as the directives should.</summary>
    static string TextOf(UsingDirectiveSyntax directive) =>
        (directive.Alias is not null ? "2" : directive.StaticKeyword.IsKind(SyntaxKind.StaticKeyword) ? "1" : "0")
        + (directive.Alias is null && directive.Name is { } name && IsOfSystem(name.ToString()) ? "0" : "1")
        + (directive.Alias?.Name.ToString() ?? directive.NamespaceOrType.ToString());

    static bool IsOfSystem(string name) => name == "System" || name.StartsWith("System.", StringComparison.Ordinal);
}
