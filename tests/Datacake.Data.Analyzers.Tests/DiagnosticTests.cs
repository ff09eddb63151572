using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers.Tests;

public class DiagnosticTests
{
    [Theory]
    [InlineData("DCD001", "class ThingContext(DatacakeNode node) : DatacakeContext(node) { }", "'ThingContext' must be partial")]
    [InlineData("DCD001", "static class Outer { public partial class ThingContext(DatacakeNode node) : DatacakeContext(node) { } }", "'ThingContext' must be partial")]
    [InlineData("DCD002", "class Thing { public int Id { get; set; } } partial class C(DatacakeNode node) : DatacakeContext(node) { internal Keyspace<Thing> Things { get; } = null!; }", "'public partial Keyspace<Thing> Things { get; }'")]
    [InlineData("DCD010", "class Thing { public int Id { get; set; } } partial class C(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<Thing> A { get; } internal partial Keyspace<Thing> B { get; } }", "'B' has the same entity class ('Thing') as 'A'")]
    [InlineData("DCD010", "class X { public int Id { get; set; } } [Keyspace(\"A\")] class Y { public int Id { get; set; } } partial class C(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<X> A { get; } internal partial Keyspace<Y> B { get; } }", "'B' has the same name ('A') as 'A'")]
    [InlineData("DCD012", "[Keyspace(\"\")] class X { public int Id { get; set; } } partial class C(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<X> A { get; } }", "1 to 200 characters")]
    public void A_context_that_cannot_be_is_reported(string id, string source, string message) =>
        Reported(GeneratorRun.Of(source), id, message);

    [Theory]
    [InlineData("DCD003", "public class Thing { public int Number { get; set; } }", "'Thing' has no key: call a property 'Id' or 'ThingId'")]
    [InlineData("DCD004", "public class Thing { public double Id { get; set; } }", "'Thing.Id' is of type 'double'")]
    [InlineData("DCD004", "public class Thing { public int? Id { get; set; } }", "'Thing.Id' is of type 'int?'")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public object? X { get; set; } }", "'Thing.X' cannot be stored")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public Uri? X { get; set; } }", "'Thing.X' cannot be stored")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public HashSet<object> X { get; set; } = []; }", "elements of a set")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public Dictionary<string, object> X { get; set; } = []; }", "keys of a dictionary")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public Part? X { get; set; } } public class Part { public Action? A { get; set; } }", "'Part.A' cannot be stored")]
    [InlineData("DCD006", "public class Thing { public int Id { get; set; } [Counter] public string X { get; set; } = \"\"; }", "a [Counter] must be an int or a long")]
    [InlineData("DCD006", "public class Thing { public int Id { get; set; } [Counter] public int X { get; } }", "that can be set")]
    [InlineData("DCD007", "[Index(\"Y\")] public class Thing { public int Id { get; set; } public int X { get; set; } }", "there is no mapped property 'Y'")]
    [InlineData("DCD007", "public class Thing { public int Id { get; set; } [Index] public List<int> X { get; set; } = []; }", "'X' is not a single value")]
    [InlineData("DCD007", "public class Thing { public int Id { get; set; } [Index, Counter] public int X { get; set; } }", "'X' is a counter")]
    [InlineData("DCD007", "public class Thing { [Index] public int Id { get; set; } }", "'Id' is of the key")]
    [InlineData("DCD007", "[Index(\"X\")] public class Thing { public int Id { get; set; } [Index] public int X { get; set; } }", "another one of that name")]
    [InlineData("DCD008", "public abstract class Thing { public int Id { get; set; } }", "it is abstract")]
    [InlineData("DCD009", "public class Thing { public Thing(int other) { } public int Id { get; set; } }", "'Thing' needs a constructor")]
    [InlineData("DCD011", "public class Thing { public int Id { get; set; } public Part? X { get; set; } } public class Part { public Part? Inner { get; set; } }", "'Part.Inner' would be stored within itself")]
    public void A_class_that_cannot_be_mapped_is_reported(string id, string source, string message) =>
        Reported(GeneratorRun.OfThing(source), id, message);

    [Fact]
    public void All_errors_of_a_class_are_reported_at_once()
    {
        var run = GeneratorRun.OfThing(
            "public class Thing { public int Id { get; set; } public object? X { get; set; } [Counter] public string Y { get; set; } = \"\"; }");
        Assert.Equal(["DCD005", "DCD006"], run.Diagnostics.Select(diagnostic => diagnostic.Id).Order());
    }

    [Fact]
    public void Beside_the_error_there_are_no_others_in_its_wake() =>
        Assert.Empty(GeneratorRun.OfThing("public class Thing { public int Number { get; set; } }").CompilerDiagnostics);

    static void Reported(GeneratorRun run, string id, string message)
    {
        var diagnostic = Assert.Single(run.Diagnostics);
        Assert.Equal(id, diagnostic.Id);
        Assert.Equal(DiagnosticSeverity.Error, diagnostic.Severity);
        Assert.Contains(message, diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        Assert.EndsWith($"README.md#{id}", diagnostic.Descriptor.HelpLinkUri, StringComparison.OrdinalIgnoreCase);
        Assert.True(diagnostic.Location.GetLineSpan().IsValid);
    }
}
