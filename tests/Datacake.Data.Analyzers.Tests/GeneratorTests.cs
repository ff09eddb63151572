using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers.Tests;

public class GeneratorTests
{
    [Fact]
    public void Code_of_the_readme_compiles() => Compiles(GeneratorRun.Of("""
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
    public void Classes_of_supported_shapes_compile(string source) => Compiles(GeneratorRun.OfThing(source));

    [Theory]
    [InlineData("class Money(decimal amount) { public decimal Amount => amount; } class MoneyConverter() : ValueConverter<Money, decimal>(m => m.Amount, d => new Money(d)); class Thing { public int Id { get; set; } [Converter<MoneyConverter>, Index] public Money? A { get; set; } [Converter<MoneyConverter>] public Money B { get; set; } = new(1); }")]
    [InlineData("readonly record struct ThingId(Guid Value); class IdConverter() : ValueConverter<ThingId, Guid>(id => id.Value, g => new ThingId(g)); class Thing { [Converter<IdConverter>] public ThingId Id { get; set; } [Converter<IdConverter>] public ThingId? Other { get; set; } }")]
    [InlineData("class Thing { public long Id { get; set; } [FormerName(\"Cost\"), Index] public decimal Price { get; set; } [System.ComponentModel.DataAnnotations.Schema.Column(\"x\")] public Part? P { get; set; } } class Part { [FormerName(\"Y\")] public int X { get; set; } }")]
    [InlineData("[Index(nameof(A), nameof(B), IsDescending = new[] { true, false })] class Thing { public int Id { get; set; } [Index(AllDescending = true)] public int A { get; set; } public int B { get; set; } }")]
    [InlineData("[Derived(typeof(Cat), \"cat\"), Derived(typeof(Dog))] abstract class Thing { public int Id { get; set; } [Index] public string? Name { get; set; } } class Cat : Thing { public int Lives { get; init; } public Part? P { get; set; } [Counter] public long N { get; set; } } record class Part(string? X); class Dog(bool isGood) : Thing { public bool IsGood { get; } = isGood; public HashSet<string> Tricks { get; } = []; public Dictionary<string, int>? D { get; set; } }")]
    [InlineData("[Derived(typeof(Sub), \"s\"), Derived(typeof(Thing), \"t\"), Derived(typeof(SubSub))] record Thing(long Id, string Name); record Sub(long Id, string Name, int X) : Thing(Id, Name); record SubSub(long Id, string Name, int X, int? Y) : Sub(Id, Name, X);")]
    [InlineData("class Thing { public long Id { get; set; } public List<Line> Lines { get; set; } = []; public Line[]? Array { get; set; } public Dictionary<string, Line> ByName { get; } = []; public Part Part { get; set; } = new(); } class Part { public IReadOnlyList<Line>? Inner { get; set; } } class Line { public required string Text { get; init; } [FormerName(\"n\")] public int? Number { get; private set; } public Price? Price { get; set; } public List<Price> Prices { get; set; } = []; } record Price(decimal Amount, DayOfWeek? Day = null) { public string? Note { get; init; } }")]
    [InlineData("[Derived(typeof(Cat)), Derived(typeof(Lion))] abstract class Thing { public int Id { get; set; } public string? Name { get; set; } } [Index(nameof(Name), nameof(Lives))] abstract class Feline : Thing { [Index] public int Lives { get; set; } public Part? P { get; set; } } class Part { [Index] public string? X { get; set; } } class Cat : Feline; [Index(nameof(Lives), nameof(Pride), Name = \"x\", IsDescending = new[] { true, false })] class Lion : Feline { public string? Pride { get; set; } [Index] public HashSet<int> Scars { get; } = []; }")]
    public void Converters_former_names_derived_classes_and_object_lists_compile(string source) => Compiles(GeneratorRun.OfThing(source));

    [Theory]
    [InlineData("model.Entity<Thing>().HasKey(t => t.Name);")]
    [InlineData("model.Entity<Thing>().HasKey(t => new { t.Number, t.Name });")]
    [InlineData("var thing = model.Entity<Thing>(); thing.ToKeyspace(\"things\").DeleteWins().HasKey(t => t.Number); thing.Ignore(t => t.Unknown);")]
    [InlineData("base.OnModelCreating(model); model.Entity<Thing>(thing => { thing.HasKey(t => t.Number); thing.HasIndex(t => new { t.Name, t.Part!.X }).IsDescending(false, true); thing.HasIndex(t => t.Tags, \"tags\"); });")]
    [InlineData("model.Entity<Thing>(thing => thing.HasKey(t => t.Number).HasIndex(t => t.Name).IsDescending()).Entity<Thing>().Property(t => t.Part!.X).HasFormerName(\"Y\").IsRequired();")]
    [InlineData("model.Entity<Thing>().HasKey(t => t.Number).Property(t => t.Name).HasMaxLength(Max).HasConversion(n => n.ToUpperInvariant(), Lower);")]
    [InlineData("model.Entity<Thing>().HasKey(t => t.Number).Property(t => t.When).HasConversion(w => w.Ticks, t => new DateTime(t)); model.Entity<Thing>().Property(t => t.Kind).HasConversion<string>();")]
    [InlineData("model.Entity<Thing>().HasKey(t => t.Number).Property(t => t.Count).IsCounter(null, Max);")]
    [InlineData("model.Entity<Thing>().HasKey(t => t.Number).Property(t => t.Count).IsCounter(); model.Entity<Thing>().Property(t => t.Number).ValueGeneratedNever();")]
    [InlineData("model.Entity<Thing>().HasKey(t => t.Number).HasDiscriminator().HasValue<Sub>(\"sub\").HasValue<Thing>(\"thing\"); model.Entity<Thing>().Property(t => ((Sub)t).Extra).HasMaxLength(5);")]
    [InlineData("model.Entity<Thing>().IsSerial().HasKey(t => t.Number).HasIndex(t => new { t.Name, t.Part!.X }).IsUnique().IsDescending(false, true);")]
    public void Model_configured_in_code_compiles(string statements) => Compiles(GeneratorRun.Of($$"""
        namespace Some.Things
        {
            using static System.Math;
            public class Part { public string? X { get; set; } }
            public class Thing
            {
                public long Number { get; set; }
                public required string Name { get; set; }
                public Part? Part { get; set; }
                public HashSet<string> Tags { get; } = [];
                public DateTime? When { get; set; }
                public DayOfWeek Kind { get; set; }
                public int Count { get; set; }
                {{(statements.Contains("Unknown", StringComparison.Ordinal) ? "public object? Unknown { get; set; }" : "")}}
            }
            public class Sub : Thing { public string? Extra { get; set; } }
            partial class TestContext(DatacakeNode node) : DatacakeContext(node)
            {
                const int Max = 20;
                internal partial Keyspace<Thing> Things { get; }
                static string Lower(string name) => name.ToLowerInvariant();
                protected override void OnModelCreating(ModelBuilder model)
                {
                    {{statements}}
                }
            }
        }
        """));

    [Theory]
    [InlineData("public abstract class Base<TKey> where TKey : struct { public TKey Id { get; protected set; } public List<TKey> All { get; private set; } = []; } public class Thing : Base<long>;")]
    [InlineData("public abstract class Base<TKey> where TKey : class? { public TKey Id { get; protected init; } = default!; } public class Thing : Base<string>;")]
    [InlineData("public class Outer<T> { public abstract class Base<TKey> where TKey : notnull { public TKey Id { get; private set; } = default!; public T? Value { get; private set; } } } "
        + "public class Thing : Outer<string>.Base<Guid>;")]
    [InlineData("public class Thing { public int Id { get; set; } public List<Pair<int, string>> X { get; set; } = []; public Pair<string, string>? Y { get; set; } } public record Pair<A, B>(A First, B Second);")]
    [InlineData("public class Thing { public int Id { get; } public string A { get; } = \"\"; public byte[] B { get; } = []; public List<int> C { get; } = []; public Part D { get; } = new(); } "
        + "public class Part { public DateTime E { get; } = DateTime.UtcNow; }")]
    [InlineData("public class Thing { public int Id { get; set; } public List<Box<string>> A { get; set; } = []; public List<Box<string?>> B { get; set; } = []; "
        + "public List<Outer<int>.Inner> C { get; set; } = []; public List<Outer<string>.Inner> D { get; set; } = []; public List<Box<Box<int>>> E { get; set; } = []; } "
        + "public class Box<T> { public T? Value { get; set; } } public class Outer<T> { public class Inner { public T? Value { get; set; } } }")]
    [InlineData("public class Thing { readonly List<int> _x = []; public int Id { get; set; } public IReadOnlyList<int> X => _x.AsReadOnly(); }")]
    [InlineData("public class Thing(int id, Level level = Level.Low, double a = double.NaN, double b = double.NegativeInfinity, float c = -1, decimal d = -2, long e = -3) "
        + "{ public int Id { get; } = id; public Level Level { get; } = level; public double A { get; } = a; public double B { get; } = b; public float C { get; } = c; "
        + "public decimal D { get; } = d; public long E { get; } = e; } public enum Level { Low = -5, High = 5 }")]
    [InlineData("public class Thing { public int Id { get; set; } public @class @class { get; set; } = new(); public List<@class> @new { get; set; } = []; } public class @class { public int @int { get; private set; } }")]
    [InlineData("public class Thing { public int Id { get; set; } public A_B X { get; set; } = new(); public A.B Y { get; set; } = new(); } "
        + "public class A_B { A_B(int q) { } public A_B() { } public int P { get; init; } } public class A { public class B { public int P { get; init; } } }")]
    public void Classes_that_are_difficult_for_generators_compile(string source) => Compiles(GeneratorRun.OfThing(source));

    [Fact]
    public void Classes_whose_names_differ_by_case_or_type_parameters_compile() => Compiles(GeneratorRun.Of("""
        public class Thing { public int Id { get; set; } }
        public class thing { public int Id { get; set; } }
        public partial class AppContext<T>(DatacakeNode node) : DatacakeContext(node) { public partial Keyspace<Thing> Things { get; } }
        public partial class AppContext(DatacakeNode node) : DatacakeContext(node) { public partial Keyspace<thing> Things { get; } }
        public partial class appContext(DatacakeNode node) : DatacakeContext(node) { public partial Keyspace<thing> @default { get; } }
        """));

    [Fact]
    public void Obsolete_entity_class_causes_no_warning_in_generated_code() => Assert.All(
        GeneratorRun.Of("""
            [Obsolete("old")] public class Thing { public int Id { get; set; } [Obsolete("older")] public int X { get; set; } }
            #pragma warning disable CS0618
            public partial class AppContext(DatacakeNode node) : DatacakeContext(node) { public partial Keyspace<Thing> Things { get; } }
            """).CompilerDiagnostics,
        diagnostic => Assert.Equal("Test.cs", diagnostic.Location.GetLineSpan().Path));

    [Theory]
    [InlineData("Obsolete(\"gone\", true)")]
    [InlineData("System.Diagnostics.CodeAnalysis.Experimental(\"E1\")")]
    public void Members_that_other_code_cannot_use_are_stored(string attribute) => Compiles(GeneratorRun.Of($$"""
        public class Part { public string? Text { get; set; } [{{attribute}}] public string? Former { get; set; } }
        public class Thing
        {
            [{{attribute}}] Thing() { }
            public int Id { get; set; }
            public int X { get; [{{attribute}}] set; }
            [{{attribute}}] public HashSet<string> Y { get; } = [];
            [{{attribute}}] public int OtherId { get; set; }
            [{{attribute}}] public Other? Other { get; set; }
            public Part? Part { get; set; }
            public List<Part> Parts { get; set; } = [];
        }
        public class Other { public int Id { get; set; } }
        partial class AppContext(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<Thing> Things { get; } internal partial Keyspace<Other> Others { get; } }
        """));

    [Fact]
    public void Compiled_classes_with_protected_constructors_and_ref_properties_compile() => Compiles(GeneratorRun.Of(
        """
        partial class AppContext(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<Thing> Things { get; } internal partial Keyspace<Other> Others { get; } }
        """,
        GeneratorRun.Of("""
            public class Thing { protected internal Thing() { } public int Id { get; set; } int _code; public ref int Code => ref _code; public int OtherId { get; set; } public Other? Other { get; set; } }
            public class Other { public int Id { get; set; } }
            """).ToCompiledReference()));

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
    public void Contexts_named_like_keywords_and_keyspaces_that_hide_others_compile() => Compiles(GeneratorRun.Of("""
        class Thing { public int Id { get; set; } }
        class Other { public int Id { get; set; } }
        static partial class @checked
        {
            internal partial class @unsafe<@int>(DatacakeNode node) : DatacakeContext(node)
            {
                internal virtual partial Keyspace<Thing> Things { get; }
            }

            internal partial class Derived<@new, @in>(DatacakeNode node) : @unsafe<@new>(node)
            {
                internal new unsafe partial Keyspace<Other> Things { get; }
                protected override void OnModelCreating(ModelBuilder model) => model.Entity<Other>().HasQueryFilter(o => o.Id > Min).ToKeyspace("others").HasData(new Other { Id = Min });
                static int Min => 0;
            }
        }
        """));

    [Fact]
    public void Entity_class_of_two_contexts_has_one_model()
    {
        var run = GeneratorRun.OfThing("""
            class Thing { public int Id { get; set; } }
            partial class SecondContext(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<Thing> Things { get; } }
            """.Replace("class Thing", "public class Thing", StringComparison.Ordinal));
        Compiles(run);
        Assert.Equal(3, run.Driver.GetRunResult().GeneratedTrees.Length);
    }

    [Fact]
    public void Context_in_two_parts_is_generated_once() => Compiles(GeneratorRun.Of("""
        class Thing { public int Id { get; set; } }
        partial class TwoContext(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<Thing> Things { get; } }
        partial class TwoContext : IAsyncDisposable { }
        """));

    [Fact]
    public void Edit_of_unrelated_code_reruns_no_step()
    {
        var first = GeneratorRun.OfThing("public class Thing { public int Id { get; set; } }\n");
        var again = first.Again(source => source + "\nclass Elsewhere { int _x; }\n");
        Assert.All(again.ReasonsOf(DatacakeGenerator.ContextsStep), Unchanged);
        Assert.All(again.ReasonsOf(DatacakeGenerator.EntitiesStep), Unchanged);

        static void Unchanged(IncrementalStepRunReason reason) =>
            Assert.True(reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged, reason.ToString());
    }

    [Fact]
    public void Edit_of_one_entity_reruns_only_its_own_step()
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
