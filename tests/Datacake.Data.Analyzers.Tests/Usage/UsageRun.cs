using System.Collections.Immutable;
using Datacake.Data.Analyzers.Usage;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Datacake.Data.Analyzers.Tests.Usage;

/// <summary>Runs all analyzers over source text, after the generator.</summary>
static class UsageRun
{
    internal static readonly ImmutableArray<DiagnosticAnalyzer> Analyzers =
    [
        new UnawaitedTaskAnalyzer(), new KeptContextAnalyzer(), new ConcurrentUseAnalyzer(), new AsyncHandlerAnalyzer(), new UnsetKeyAnalyzer(), new LocalTimeAnalyzer(),
    ];

    const string Usings = """
        using System.Linq;
        using System.Threading;
        using System.Threading.Tasks;
        using Microsoft.Extensions.DependencyInjection;
        using Microsoft.Extensions.Hosting;

        """;

    const string Shop = """

        public class Order { public long Id { get; set; } public DateTime Placed { get; set; } public DateTime? Paid { get; set; } public int State { get; set; } }
        public class Shelf { public int Id { get; set; } public string Name { get; set; } = ""; }
        public partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
        {
            public partial Keyspace<Order> Orders { get; }
            public partial Keyspace<Shelf> Shelves { get; }
        }
        """;

    /// <summary>Returns the source together with a context of orders and shelves.</summary>
    public static string WithShop(string source) => Usings + source + Shop;

    /// <summary>Returns the warnings of the analyzers. The source must compile.</summary>
    public static async Task<ImmutableArray<Diagnostic>> OfAsync(string source)
    {
        var compilation = GeneratorRun.Of(source).Output;
        Assert.DoesNotContain(compilation.GetDiagnostics(TestContext.Current.CancellationToken), static diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);
        return await compilation.WithAnalyzers(Analyzers).GetAnalyzerDiagnosticsAsync(TestContext.Current.CancellationToken);
    }

    public static async Task ReportsAsync(string source, string id, string at, string message)
    {
        var diagnostic = Assert.Single(await OfAsync(WithShop(source)));
        Assert.Equal(id, diagnostic.Id);
        Assert.Equal(DiagnosticSeverity.Warning, diagnostic.Severity);
        Assert.Equal(at, diagnostic.Location.SourceTree!.GetText(TestContext.Current.CancellationToken).ToString(diagnostic.Location.SourceSpan));
        Assert.Contains(message, diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        Assert.EndsWith($"#{id}", diagnostic.Descriptor.HelpLinkUri, StringComparison.OrdinalIgnoreCase);
    }

    public static async Task AcceptsAsync(string source) => Assert.Empty(await OfAsync(WithShop(source)));
}
