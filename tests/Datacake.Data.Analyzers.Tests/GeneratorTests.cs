using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers.Tests;

public class GeneratorTests
{
    [Fact]
    public void The_code_of_the_readme_compiles() => Compiles(GeneratorRun.Of("""
        public sealed class Address { public string City { get; set; } = ""; }

        public sealed class Product
        {
            public long Id { get; set; }
            public string Name { get; set; } = "";
            [Index] public string Category { get; set; } = "";
            public decimal Price { get; set; }
            [Counter] public long Stock { get; set; }
            public HashSet<string> Tags { get; set; } = [];
            public Address? Warehouse { get; set; }
        }

        public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
        {
            public partial Keyspace<Product> Products { get; }
        }
        """));

    [Theory]
    [InlineData("public class Thing { public string ThingId { get; set; } = \"\"; public int X { get; private set; } }")]
    [InlineData("public class Thing { public required Guid Id { get; init; } public required string Name { get; set; } }")]
    [InlineData("public sealed record Thing(int Id, string Name, List<DateOnly> Days, Dictionary<int, string?> Notes);")]
    [InlineData("public sealed record Thing(int Id, string? Name = null, decimal Price = 1.5m, bool Flag = true, char C = 'x', ulong U = 7);")]
    [InlineData("class Thing { Thing() { } public int Id { get; } = 5; public int X { get; set; } }")]
    [InlineData("class Thing { public ulong Id { get; set; } public string @class { get; set; } = \"\"; public int? @event { get; set; } }")]
    [InlineData("class Base { public int Id { get; private set; } public virtual string Name { get; set; } = \"\"; } class Thing : Base { public override string Name { get; set; } = \"\"; }")]
    [InlineData("namespace Deep.er { public static class Outer { public class Thing { public int Id { get; set; } public Part? Part { get; set; } } public record Part(int A, Part2 B); public record Part2(string? C); } } partial class OtherContext(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<Deep.er.Outer.Thing> Deeps { get; } } class Thing { public int Id { get; set; } }")]
    [InlineData("class Thing { [Key] public DayOfWeek A { get; set; } [Key] public string B { get; set; } = \"\"; [Index] public DayOfWeek? C { get; set; } public DayOfWeek[]? D { get; set; } }")]
    [InlineData("class Thing { public int Id { get; set; } public HashSet<string> A { get; } = []; public Dictionary<string, List<int>> B { get; } = []; public Part C { get; } = new(); } class Part { [Counter] public int N { get; set; } public ISet<Guid>? S { get; set; } }")]
    [InlineData("[Index(nameof(A), \"P.B\")] class Thing { public int Id { get; set; } public int A { get; set; } public P? P { get; set; } } class P { [Index(Name = \"b\")] public int? B { get; set; } }")]
    public void Classes_of_these_shapes_compile(string source) => Compiles(GeneratorRun.OfThing(source));

    [Fact]
    public void Nested_generic_and_derived_contexts_compile() => Compiles(GeneratorRun.Of("""
        class Thing { public int Id { get; set; } }
        class Other { public int Id { get; set; } }

        namespace Some.Where
        {
            static partial class Outer
            {
                public abstract partial class BaseContext(DatacakeNode node) : DatacakeContext(node)
                {
                    internal partial Keyspace<Thing> Things { get; }
                }

                public partial class DerivedContext<T>(DatacakeNode node) : BaseContext(node)
                {
                    protected internal virtual partial Keyspace<Other> Others { get; }
                }
            }
        }
        """));

    [Fact]
    public void An_entity_class_of_two_contexts_has_one_model()
    {
        var run = GeneratorRun.OfThing("""
            class Thing { public int Id { get; set; } }
            partial class SecondContext(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<Thing> Things { get; } }
            """.Replace("class Thing", "public class Thing", StringComparison.Ordinal));
        Compiles(run);
        Assert.Equal(3, run.Driver.GetRunResult().GeneratedTrees.Length);
    }

    [Fact]
    public void A_context_in_two_parts_is_generated_once() => Compiles(GeneratorRun.Of("""
        class Thing { public int Id { get; set; } }
        partial class TwoContext(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<Thing> Things { get; } }
        partial class TwoContext : IAsyncDisposable { }
        """));

    [Fact]
    public void An_edit_elsewhere_runs_nothing_again()
    {
        var first = GeneratorRun.OfThing("public class Thing { public int Id { get; set; } }\n");
        var again = first.Again(source => source + "\nclass Elsewhere { int _x; }\n");
        Assert.All(again.ReasonsOf(DatacakeGenerator.ContextsStep), Unchanged);
        Assert.All(again.ReasonsOf(DatacakeGenerator.EntitiesStep), Unchanged);

        static void Unchanged(IncrementalStepRunReason reason) =>
            Assert.True(reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged, reason.ToString());
    }

    [Fact]
    public void An_edit_of_one_entity_leaves_the_others_alone()
    {
        var first = GeneratorRun.OfThing("""
            public class Thing { public int Id { get; set; } }
            public class Other { public int Id { get; set; } }
            partial class OtherContext(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<Other> Others { get; } }
            """);
        var again = first.Again(
            source =>
                source.Replace(
                    "class Other { public int Id { get; set; } }",
                    "class Other { public int Id { get; set; } public int X { get; set; } }",
                    StringComparison.Ordinal));
        Assert.Single(again.ReasonsOf(DatacakeGenerator.EntitiesStep), reason => reason == IncrementalStepRunReason.Modified);
        Assert.Single(
            again.ReasonsOf(DatacakeGenerator.EntitiesStep),
            reason => reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged);
    }

    static void Compiles(GeneratorRun run)
    {
        Assert.Empty(run.Diagnostics);
        Assert.Empty(run.CompilerDiagnostics);
    }
}
