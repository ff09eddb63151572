using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Conventions.Tests;

/// <summary>Documentation and messages follow the rules of plain American English that a machine can check.</summary>
public partial class EnglishTests
{
    public static TheoryData<string> Projects => [.. Repository.Projects.Select(static project => project.Name)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Summary_begins_with_no_noun_clause(string name)
    {
        var summaries = from file in ProjectOf(name).Files
                        from node in file.GetRoot().DescendantNodes(descendIntoTrivia: true).OfType<XmlElementSyntax>()
                        where node.StartTag.Name.LocalName.ValueText == "summary"
                        let text = Spaces().Replace(node.Content.ToString().Replace("///", "", StringComparison.Ordinal), " ").Trim()
                        where NounClause().IsMatch(text)
                        select Describe(node, text);

        AssertNone(summaries);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Message_of_an_exception_ends_with_a_full_stop(string name)
    {
        var messages = from file in ProjectOf(name).Files
                       from creation in file.GetRoot().DescendantNodes().OfType<BaseObjectCreationExpressionSyntax>()
                       where TypeOf(creation) is { } type && type.EndsWith("Exception", StringComparison.Ordinal)
                       from argument in creation.ArgumentList?.Arguments ?? []
                       where MessageText.IsUnfinished(argument.Expression)
                       select Describe(argument, argument.ToString());

        AssertNone(messages);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Message_of_a_log_ends_with_a_full_stop(string name)
    {
        var messages = from file in ProjectOf(name).Files
                       from attribute in file.GetRoot().DescendantNodes().OfType<AttributeSyntax>()
                       where attribute.Name.ToString() == "LoggerMessage"
                       from argument in attribute.ArgumentList?.Arguments ?? []
                       where MessageText.IsUnfinished(argument.Expression)
                       select Describe(argument, argument.ToString());

        AssertNone(messages);
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Spelling_is_American(string name)
    {
        var project = ProjectOf(name);
        var paths = project.Files.Select(static file => file.FilePath)
            .Concat(Directory.EnumerateFiles(project.Directory, "*.md", SearchOption.AllDirectories).Where(static path => !SourceProject.IsOutside(path)));

        AssertNone(paths.SelectMany(MisspelledLines));
    }

    [Fact]
    public void Spelling_of_the_documents_at_the_root_is_American() => AssertNone(Directory.EnumerateFiles(Repository.Root, "*.md").SelectMany(MisspelledLines));

    static IEnumerable<string> MisspelledLines(string path) => Path.GetFileName(path) == "EnglishTests.cs" ? []
        : from line in File.ReadLines(path).Select(static (text, index) => (Text: text, Number: index + 1))
          from Match word in British().Matches(line.Text)
          select $"{Path.GetRelativePath(Repository.Root, path)}:{line.Number}: {word.Value}";

    static SourceProject ProjectOf(string name) => Repository.Projects.Single(project => project.Name == name);

    static string? TypeOf(BaseObjectCreationExpressionSyntax creation) => creation switch
    {
        ObjectCreationExpressionSyntax explicitCreation => explicitCreation.Type.ToString(),
        // new(…) as the value of a method, property or variable that names its type
        _ => creation.Ancestors().Select(static node => node switch
        {
            MethodDeclarationSyntax method => method.ReturnType.ToString(),
            LocalFunctionStatementSyntax function => function.ReturnType.ToString(),
            VariableDeclarationSyntax variable => variable.Type.ToString(),
            ArgumentSyntax => "",
            _ => null,
        }).FirstOrDefault(static type => type is not null),
    };

    static string Describe(SyntaxNode node, string text)
    {
        var position = node.GetLocation().GetLineSpan();
        return $"{Path.GetRelativePath(Repository.Root, position.Path)}:{position.StartLinePosition.Line + 1}: {text}";
    }

    static void AssertNone(IEnumerable<string> violations)
    {
        string[] found = [.. violations];
        Assert.True(found.Length == 0, string.Join(Environment.NewLine, found));
    }

    [GeneratedRegex(@"^(What|Whether|How|Which|Where|When|Who|Whose|Whoever|Whatever|Why|The same)\b")]
    private static partial Regex NounClause();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    [GeneratedRegex(
        @"\b(\w*(behaviour|neighbour|colour|favour|honour|labour)\w*|\w*(cancell|labell|modell|travell|signall)(ed|ing)|acknowledgement\w*|"
            + @"\w*(normal|serial|initial|synchron|organ|recogn|optim|minim|maxim|summar|author|real|emphas)is(e|ed|es|er|ers|ing|ation|ations)|"
            + @"centres?|centred|licence\w*|catalogue\w*|grey|artefact\w*|analysed?|analysing|defence|programme|whilst|amongst|judgement)\b",
        RegexOptions.IgnoreCase)]
    private static partial Regex British();
}
