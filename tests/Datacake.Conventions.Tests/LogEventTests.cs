using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Conventions.Tests;

/// <summary>Operators filter logs by their event ids, so an id means one event in the whole product.</summary>
public class LogEventTests
{
    /// <summary>The events of a project are numbered from its thousand on.</summary>
    static readonly Dictionary<string, int> Thousands = new()
    {
        ["Datacake.Rpc"] = 1,
        ["Datacake.Node"] = 2,
        ["Datacake.EventualConsistency"] = 3,
        ["Datacake.Data"] = 4,
        ["Datacake.Administration"] = 5,
        ["Datacake.Hosting"] = 5,
        ["Datacake.Dashboard"] = 6,
        ["Datacake.Extensions.Caching"] = 7,
        ["Datacake.AspNetCore"] = 8,
        ["Datacake.PostgreSql.Projection"] = 9,
    };

    [Fact]
    public void Event_id_is_unique_in_the_product()
    {
        var repeated = Events().GroupBy(static log => log.Id).Where(static group => group.Count() > 1).Select(static group => $"{group.Key}: {string.Join(", ", group)}");

        Assert.Empty(repeated);
    }

    [Fact]
    public void Event_id_begins_with_the_number_of_its_project()
    {
        var events = Events().ToArray();

        Assert.NotEmpty(events);
        Assert.All(events, static log => Assert.Equal(Thousands.GetValueOrDefault(log.Project), log.Id / 1000));
    }

    // For a method of a structure, nothing is generated, and calls of a partial method without a body are left out without a word.
    [Fact]
    public void Log_method_is_in_a_class()
    {
        var elsewhere = Attributes().Select(static log => log.Attribute.FirstAncestorOrSelf<TypeDeclarationSyntax>()!)
            .Where(static type => type is not ClassDeclarationSyntax).Select(static type => type.Identifier.ValueText).Distinct();

        Assert.Empty(elsewhere);
    }

    static IEnumerable<(string Project, AttributeSyntax Attribute)> Attributes() =>
        from project in Repository.ShippedProjects
        from file in project.Files
        from attribute in file.GetRoot().DescendantNodes().OfType<AttributeSyntax>()
        where attribute.Name.ToString() == "LoggerMessage"
        select (project.Name, attribute);

    static IEnumerable<(string Project, int Id)> Events() =>
        from log in Attributes()
        let id = log.Attribute.ArgumentList!.Arguments.Select(static argument => argument.Expression).OfType<LiteralExpressionSyntax>()
            .First(static literal => literal.IsKind(SyntaxKind.NumericLiteralExpression))
        select (log.Project, int.Parse(id.Token.ValueText, CultureInfo.InvariantCulture));
}
