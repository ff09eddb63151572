using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Conventions.Tests;

/// <summary>The dashboard and the alerts name metrics of the product, as the exporter of OpenTelemetry for Prometheus calls them.</summary>
public partial class MetricTests
{
    static readonly string Folder = Path.Combine(Repository.Root, "src", "Datacake.Hosting");

    [Fact]
    public void Metric_of_the_dashboard_exists()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "grafana.json")));
        string[] expressions = [.. dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .SelectMany(static panel => panel.GetProperty("targets").EnumerateArray())
            .Select(static target => target.GetProperty("expr").GetString()!)];

        Assert.NotEmpty(expressions);
        Assert.All(expressions, AssertMetrics);
    }

    [Fact]
    public void Metric_of_an_alert_exists()
    {
        string guide = File.ReadAllText(Path.Combine(Folder, "OPERATIONS.md"));
        string[] rows = [.. guide[guide.IndexOf("## Alerts", StringComparison.Ordinal)..].Split('\n').Where(static line => line.StartsWith('|')).Skip(2)];

        Assert.NotEmpty(rows);
        Assert.All(rows, AssertMetrics);
    }

    [Fact]
    public void Metric_that_the_guide_names_exists() =>
        AssertMetrics(File.ReadAllText(Path.Combine(Folder, "OPERATIONS.md")));

    [Fact]
    public void Every_meter_is_on_the_dashboard()
    {
        string dashboard = File.ReadAllText(Path.Combine(Folder, "grafana.json"));

        Assert.All(Exported().GroupBy(static metric => metric.Project), meter => Assert.Contains(meter, metric => dashboard.Contains(metric.Name, StringComparison.Ordinal)));
    }

    static void AssertMetrics(string text)
    {
        string[] names = [.. MetricName().Matches(text).Select(static match => match.Value)];
        Assert.NotEmpty(names);
        Assert.Empty(names.Except(Exported().SelectMany(static metric => metric.IsHistogram ? [$"{metric.Name}_bucket", $"{metric.Name}_sum", $"{metric.Name}_count"] : (string[])[metric.Name])));
    }

    /// <summary>Returns the instruments in the sources, with their names for Prometheus.</summary>
    static IEnumerable<(string Project, string Name, bool IsHistogram)> Exported() =>
        from project in Repository.ShippedProjects
        from file in project.Files
        from call in file.GetRoot().DescendantNodes().OfType<InvocationExpressionSyntax>()
        let method = call.Expression is MemberAccessExpressionSyntax { Name: var name } ? name.Identifier.ValueText : ""
        where method.StartsWith("Create", StringComparison.Ordinal) && InstrumentKind().IsMatch(method)
        let arguments = call.ArgumentList.Arguments
        let name = LiteralOf(arguments[0])
        let unit = method.Contains("Observable", StringComparison.Ordinal) ? LiteralOf(arguments.ElementAtOrDefault(2)) : LiteralOf(arguments.ElementAtOrDefault(1))
        let isCounter = method.EndsWith("Counter", StringComparison.Ordinal) && !method.Contains("UpDown", StringComparison.Ordinal)
        select (project.Name, NameOf(name!, unit, isCounter), method.EndsWith("Histogram", StringComparison.Ordinal));

    static string? LiteralOf(ArgumentSyntax? argument) =>
        argument is { NameColon: null, Expression: LiteralExpressionSyntax literal } && literal.IsKind(SyntaxKind.StringLiteralExpression) ? literal.Token.ValueText : null;

    /// <summary>Returns the name as the exporter makes it: with the unit, unless that is a word in braces, and with <c>total</c> for counters.</summary>
    static string NameOf(string name, string? unit, bool isCounter)
    {
        string exported = name.Replace('.', '_');
        string? suffix = unit switch { "s" => "seconds", "By" => "bytes", _ => null };
        if (suffix is not null && !exported.Contains(suffix, StringComparison.Ordinal))
            exported += $"_{suffix}";
        return isCounter ? $"{exported}_total" : exported;
    }

    [GeneratedRegex(@"\bdatacake_[a-z_]+\b")]
    private static partial Regex MetricName();

    [GeneratedRegex("^Create(Observable|UpDown|ObservableUpDown)?(Counter|Gauge|Histogram)$")]
    private static partial Regex InstrumentKind();
}
