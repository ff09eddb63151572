using Datacake.Data.Analyzers.Usage;
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
    [InlineData("DCD010", "class X { public int Id { get; set; } } partial class B(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<X> A { get; } } partial class C(DatacakeNode node) : B(node) { internal partial Keyspace<X> Again { get; } }", "'Again' has the same entity class ('X') as 'A'")]
    [InlineData("DCD010", "class X { public int Id { get; set; } } class Y { public int Id { get; set; } } partial class B(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<X> A { get; } protected override void OnModelCreating(ModelBuilder model) => model.Entity<X>().ToKeyspace(\"x\"); } partial class C(DatacakeNode node) : B(node) { [Keyspace(\"x\")] internal partial Keyspace<Y> Again { get; } }", "'Again' has the same name ('x') as 'A'")]
    [InlineData("DCD012", "[Keyspace(\"\")] class X { public int Id { get; set; } } partial class C(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<X> A { get; } }", "1 to 200 characters")]
    public void Invalid_context_is_reported(string id, string source, string message) =>
        Reported(GeneratorRun.Of(source), id, message);

    [Fact]
    public void Array_in_the_model_and_keyspace_of_objects_are_both_reported()
    {
        var run = GeneratorRun.Of("partial class C(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<object> A { get; } protected override void OnModelCreating(ModelBuilder model) => model.Entity<int[]>(); }");
        Assert.Equal(["DCD003", "DCD015"], run.Diagnostics.Select(diagnostic => diagnostic.Id).Order());
    }

    [Theory]
    [InlineData("DCD003", "public class Thing { public int Number { get; set; } }", "'Thing' has no key. Name a property 'Id' or 'ThingId'")]
    [InlineData("DCD004", "public class Thing { public double Id { get; set; } }", "'Thing.Id' is of type 'double'")]
    [InlineData("DCD004", "public class Thing { public int? Id { get; set; } }", "'Thing.Id' is of type 'int?'")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public object? X { get; set; } }", "'Thing.X' cannot be stored")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public Uri? X { get; set; } }", "'Thing.X' cannot be stored")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public HashSet<object> X { get; set; } = []; }", "elements of a set")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public Dictionary<string, object> X { get; set; } = []; }", "keys of a dictionary")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public Part? X { get; set; } } public class Part { public Action? A { get; set; } }", "'Part.A' cannot be stored")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public List<Part> X { get; set; } = []; } public class Part { public HashSet<int> A { get; } = []; }", "'Part.A' cannot be stored. It is in the list, dictionary or struct 'X'")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public List<Thing> X { get; set; } = []; }", "has no foreign key for 'Thing'. Add 'public int ThingId { get; set; }'")]
    [InlineData("DCD011", "public class Thing { public int Id { get; set; } public List<Part> X { get; set; } = []; } public class Part { public List<Part> Inner { get; set; } = []; }", "'Part.Inner' cannot be stored, because 'Part' contains itself")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public Tags X { get; set; } = []; } public class Tags : List<string>;", "'Tags' is a collection")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public Dictionary<string, Tags> X { get; set; } = []; } public class Tags : HashSet<string>;", "The keys of a dictionary")]
    [InlineData("DCD005", "public class Base { public string Name { get; set; } = \"\"; } public class Thing : Base { public int Id { get; set; } public static new int Name => 1; }", "'Base.Name' cannot be stored. 'Thing' has a member of the same name, which hides it")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public Shut X { get; set; } } public readonly struct Shut(int x) { readonly int _hidden = x; public string Name { get; } = \"\"; }", "The field '_hidden' of 'Shut' would be lost")]
    [InlineData("DCD005", "public class Thing { public int Id { get; set; } public Bare? X { get; set; } } public class Bare { public int Field; }", "'Bare' has no properties that can be stored")]
    [InlineData("DCD023", "public class Thing { public int Id { get; set; } [Counter(Minimum = 2, Maximum = 1)] public int X { get; set; } }", "The counter 'Thing.X' cannot have these bounds. Its minimum 2 is greater than its maximum 1")]
    [InlineData("DCD023", "public class Thing { public int Id { get; set; } [Counter(Maximum = 5_000_000_000)] public int X { get; set; } }", "Its maximum 5000000000 is not an int. Make the property a long")]
    [InlineData("DCD023", "public class Thing { public int Id { get; set; } [Counter(Minimum = -5_000_000_000)] public int X { get; set; } }", "Its minimum -5000000000 is not an int. Make the property a long")]
    [InlineData("DCD023", "public class Thing { public int Id { get; set; } public Part? X { get; set; } } public class Part { [Counter(Minimum = 0)] public long A { get; set; } }", "The counter 'Part.A' cannot have these bounds. It is in an owned object")]
    [InlineData("DCD025", "[ExpiresAfter(\"soon\")] public class Thing { public int Id { get; set; } }", "The entities of 'Thing' cannot expire so. 'soon' is not a time")]
    [InlineData("DCD025", "[ExpiresAfter(\"-00:01:00\")] public class Thing { public int Id { get; set; } }", "is not a time")]
    [InlineData("DCD025", "[Serial, ExpiresAfter(\"00:01:00\")] public class Thing { public int Id { get; set; } }", "Serial entities do not expire")]
    [InlineData("DCD025", "public class Thing { public int Id { get; set; } [Expires] public System.DateTime Until { get; set; } }", "The property 'Until' is not a DateTimeOffset")]
    [InlineData("DCD025", "public class Thing { public int Id { get; set; } [Expires] public System.DateTimeOffset A { get; set; } [Expires] public System.DateTimeOffset B { get; set; } }", "both say when")]
    [InlineData("DCD025", "public class Thing { public int Id { get; set; } [Counter] public long Count { get; set; } [Expires] public System.DateTimeOffset Until { get; set; } }", "the counter 'Count' would be lost")]
    [InlineData("DCD025", "public class Thing { public int Id { get; set; } public Part? X { get; set; } } public class Part { [Expires] public System.DateTimeOffset Until { get; set; } }", "Move 'X.Until' to the entity class")]
    [InlineData("DCD024", "[Serial] public class Thing { public int Id { get; set; } [System.ComponentModel.DataAnnotations.Schema.DatabaseGenerated(System.ComponentModel.DataAnnotations.Schema.DatabaseGeneratedOption.Identity)] public string? X { get; set; } }", "The property 'Thing.X' cannot get numbers. Numbers are of type int or long")]
    [InlineData("DCD024", "[Serial] public class Thing { public int Id { get; set; } [System.ComponentModel.DataAnnotations.Schema.DatabaseGenerated(System.ComponentModel.DataAnnotations.Schema.DatabaseGeneratedOption.Identity)] public int? X { get; set; } }", "Numbers are of type int or long, without a converter")]
    [InlineData("DCD024", "[Serial] public class Thing { public int Id { get; set; } public Part? X { get; set; } } public class Part { [System.ComponentModel.DataAnnotations.Schema.DatabaseGenerated(System.ComponentModel.DataAnnotations.Schema.DatabaseGeneratedOption.Identity)] public int A { get; set; } }", "The property 'Thing.X.A' cannot get numbers. Only a property that all entities of the class have")]
    [InlineData("DCD006", "public class Thing { public int Id { get; set; } [Counter] public string X { get; set; } = \"\"; }", "A [Counter] must be an int or a long")]
    [InlineData("DCD007", "[Index(\"Y\")] public class Thing { public int Id { get; set; } public int X { get; set; } }", "There is no mapped property 'Y'")]
    [InlineData("DCD007", "public class Thing { public int Id { get; set; } [Index] public List<int> X { get; set; } = []; }", "'X' is not a single value")]
    [InlineData("DCD007", "public class Thing { public int Id { get; set; } [Index, Counter] public int X { get; set; } }", "'X' is a counter")]
    [InlineData("DCD007", "public class Thing { [Index] public int Id { get; set; } }", "The key starts with the same properties")]
    [InlineData("DCD007", "[Index(nameof(A), nameof(B))] public class Thing { [Key] public int A { get; set; } [Key] public int B { get; set; } }", "The key starts with the same properties")]
    [InlineData("DCD007", "[Index(\"X\")] public class Thing { public int Id { get; set; } [Index] public int X { get; set; } }", "another index of that name")]
    [InlineData("DCD009", "public class Thing { public Thing(int other) { } public int Id { get; set; } }", "'Thing' has no constructor that can be called")]
    [InlineData("DCD011", "public class Thing { public int Id { get; set; } public Part? X { get; set; } } public class Part { public Part? Inner { get; set; } }", "'Part.Inner' cannot be stored, because 'Part' contains itself")]
    public void Class_that_cannot_be_mapped_is_reported(string id, string source, string message) =>
        Reported(GeneratorRun.OfThing(source), id, message);

    [Theory]
    [InlineData("DCD008", "public abstract class Thing { public int Id { get; set; } }", "no derived class is declared")]
    [InlineData("DCD013", "public class Thing { public int Id { get; set; } [Converter<Random>] public string? X { get; set; } }", "'System.Random' is not a class derived from ValueConverter")]
    [InlineData("DCD013", "public class C() : ValueConverter<int, string>(i => \"\", s => 0); public class Thing { public int Id { get; set; } [Converter<C>] public string? X { get; set; } }", "It is for the type 'int', but the property is of type 'string?'")]
    [InlineData("DCD013", "public class C() : ValueConverter<string, Uri>(s => null!, s => \"\"); public class Thing { public int Id { get; set; } [Converter<C>] public string? X { get; set; } }", "'System.Uri', which is not a single value")]
    [InlineData("DCD016", "public class Thing { [System.ComponentModel.DataAnnotations.Schema.DatabaseGenerated(System.ComponentModel.DataAnnotations.Schema.DatabaseGeneratedOption.Identity)] public int Id { get; set; } }", "Generated values of type 'int' would not be unique across nodes. In a serial class ([Serial] or IsSerial()), an int key gets the next number when it is saved. Use a single")]
    [InlineData("DCD016", "[Serial] public class Thing { [System.ComponentModel.DataAnnotations.Key][System.ComponentModel.DataAnnotations.Schema.DatabaseGenerated(System.ComponentModel.DataAnnotations.Schema.DatabaseGeneratedOption.Identity)] public int A { get; set; } [System.ComponentModel.DataAnnotations.Key] public int B { get; set; } }", "The key 'Thing.A' cannot be generated. The key has several properties.")]
    [InlineData("DCD016", "[Serial] public class Thing { [System.ComponentModel.DataAnnotations.Schema.DatabaseGenerated(System.ComponentModel.DataAnnotations.Schema.DatabaseGeneratedOption.Identity)] public short Id { get; set; } }", "Generated values of type 'short' would not be unique across nodes. Use a single")]
    [InlineData("DCD017", "[Derived(typeof(Other))] public class Thing { public int Id { get; set; } } public class Other;", "It does not derive from 'Thing'")]
    [InlineData("DCD017", "[Derived(typeof(A)), Derived(typeof(B))] public class Thing { public int Id { get; set; } } public class A : Thing { public int X { get; set; } } public class B : Thing { public int X { get; set; } }", "'A' also has a property 'X'")]
    [InlineData("DCD017", "[Derived(typeof(A))] public class Thing { public int Id { get; set; } } public class A : Thing; partial class OtherContext(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<A> As { get; } internal partial Keyspace<Thing> Things { get; } }", "It has a keyspace of its own")]
    [InlineData("DCD017", "[Derived(typeof(A), \"Thing\")] public class Thing { public int Id { get; set; } } public class A : Thing;", "Another class is already stored as 'Thing'")]
    [InlineData("DCD018", "public class Thing { public int Id { get; set; } [FormerName(\"Y\")] public int X { get; set; } public int Y { get; set; } }", "'Thing.X' cannot be stored as 'Y'. 'Y' is also stored under this name")]
    [InlineData("DCD018", "public class Thing { public int Id { get; set; } [FormerName(\"a.b\")] public int X { get; set; } }", "contains a dot")]
    [InlineData("DCD007", "[Index(\"X\", IsDescending = new[] { true, false })] public class Thing { public int Id { get; set; } public int X { get; set; } }", "It has 1 property, but IsDescending has 2 values")]
    [InlineData("DCD007", "[Derived(typeof(A)), Derived(typeof(B))] public class Thing { public int Id { get; set; } } [Index(nameof(X), \"Y\")] public class A : Thing { public int X { get; set; } } public class B : Thing { public int Y { get; set; } }", "The index 'X_Y' of 'A' is not valid. No entity has all its properties, because they belong to 'A' and 'B'")]
    [InlineData("DCD007", "[Derived(typeof(A))] public class Thing { public int Id { get; set; } [Index] public int X { get; set; } } [Index(nameof(X))] public class A : Thing;", "another index of that name")]
    [InlineData("DCD017", "[Derived(typeof(A))] public class Thing { public int Id { get; set; } public string X { get; set; } = \"\"; } public class A : Thing { public new int X { get; set; } }", "Its property 'X' hides that of 'Thing'")]
    [InlineData("DCD021", "[Serial] public class Thing { public int Id { get; set; } [Counter] public int X { get; set; } }", "'Thing' is serial, but the counter 'X' merges additions of several nodes. Remove [Counter]")]
    [InlineData("DCD021", "[Serial] public class Thing { public int Id { get; set; } public Part? P { get; set; } } public class Part { [Counter] public long X { get; set; } }", "'Thing' is serial, but the counter 'P.X' merges")]
    [InlineData("DCD021", "[Serial, DeleteWins] public class Thing { public int Id { get; set; } }", "'Thing' is serial, but [DeleteWins] is about concurrent writes")]
    [InlineData("DCD021", "[Serial] public class Base; public class Middle : Base; [DeleteWins] public class Thing : Middle { public int Id { get; set; } }", "'Thing' is serial, but [DeleteWins] is about concurrent writes")]
    [InlineData("DCD021", "[DeleteWins] public class Base; [Serial] public class Thing : Base { public int Id { get; set; } }", "'Thing' is serial, but [DeleteWins] is about concurrent writes")]
    [InlineData("DCD025", "[ExpiresAfter(\"soon\")] public class Base; public class Thing : Base { public int Id { get; set; } }", "The entities of 'Thing' cannot expire so. 'soon' is not a time")]
    [InlineData("DCD021", "[Derived(typeof(A))] public class Thing { public int Id { get; set; } } [Serial] public class A : Thing;", "'A' is serial, but its entities are stored among those of 'Thing', which is not. Put [Serial] on 'Thing'")]
    [InlineData("DCD022", "public class Thing { public int Id { get; set; } [Index(IsUnique = true)] public string X { get; set; } = \"\"; }", "The index 'X' of 'Thing' cannot be unique. The entities of 'Thing' merge, so that two nodes may add the same value at the same time. Make the class serial ([Serial] or IsSerial()), or make the property the key")]
    [InlineData("DCD022", "[Index(\"X\", \"Y\", IsUnique = true)] public class Thing { public int Id { get; set; } public int X { get; set; } public int Y { get; set; } }", "The index 'X_Y' of 'Thing' cannot be unique")]
    [InlineData("DCD022", "[Serial] public class Thing { public int Id { get; set; } [Index(IsUnique = true)] public HashSet<string> X { get; set; } = []; }", "An index of a set has several values for each entity")]
    public void Invalid_configuration_of_a_class_is_reported(string id, string source, string message) =>
        Reported(GeneratorRun.OfThing(source), id, message);

    [Theory]
    [InlineData("DCD014", "if (true) { }", "Only a sequence of calls on the model can be read")]
    [InlineData("DCD014", "foreach (var x in new[] { 1 }) model.Entity<Thing>();", "Only a sequence of calls on the model can be read")]
    [InlineData("DCD014", "Describe(1);", "Only calls on the model, and on the results of such calls, can be read")]
    [InlineData("DCD014", "Describe(model, 1);", "'TestContext.Describe' takes parameters other than builders, and only methods that take nothing but builders can be read. Write its calls here")]
    [InlineData("DCD014", "Again(model);", "'TestContext.Again' calls itself")]
    [InlineData("DCD014", "new TestContext(null!).Describe(model.Entity<Thing>());", "'TestContext.Describe' is called on another object")]
    [InlineData("DCD014", "model.Entity<Thing>().Property(t => t.Name).HasMaxLength(Name.Length);", "'Name.Length' is not a constant")]
    [InlineData("DCD014", "model.Entity<Thing>().HasIndex(t => t.Name.Length + 1);", "The lambda must name properties and nothing else")]
    [InlineData("DCD014", "model.Entity<Thing>().Property(t => t.Name).HasConversion(n => n + Name, n => n);", "The function uses 'this'")]
    [InlineData("DCD014", "model.Entity<Thing>().Property(t => t.Name).HasConversion(n => n + node, n => n);", "The function uses 'node'")]
    [InlineData("DCD022", "model.Entity<Thing>().HasIndex(t => t.Name).IsUnique();", "The entities of 'Thing' merge")]
    [InlineData("DCD021", "model.Entity<Thing>().IsSerial().DeleteWins();", "[DeleteWins] is about concurrent writes")]
    [InlineData("DCD021", "model.Entity<Thing>().IsSerial().Property(t => t.Count).IsCounter();", "the counter 'Count' merges additions of several nodes")]
    [InlineData("DCD015", "model.Entity<Thing>().HasDiscriminator().HasValue<Part>(); model.Entity<Part>().IsSerial();", "'IsSerial' applies to all entities of 'Thing', and not to 'Part' alone")]
    [InlineData("DCD015", "model.Entity<Other>();", "The context itself has no keyspace of 'Other'. Add 'public partial Keyspace<Other>")]
    [InlineData("DCD015", "model.Entity<Thing>().Property(t => t.Name.Length).IsRequired();", "There is no mapped property 'Name.Length' in 'Thing'")]
    [InlineData("DCD015", "model.Entity<Thing>().HasKey(t => t.Ignored);", "The key names 'Ignored', which is not a mapped property")]
    [InlineData("DCD015", "model.Entity<Thing>().Property(t => t.Name).ValueGeneratedOnAdd();", "'Name' is not the key")]
    [InlineData("DCD015", "model.Entity<Part>().HasIndex(p => p.Name);", "'Part' is not stored among the entities of 'Thing'. Declare it with [Derived(typeof(Part))]")]
    [InlineData("DCD015", "model.Entity<Thing>().HasDiscriminator().HasValue<Part>(); model.Entity<Part>().HasKey(p => p.Name);", "'HasKey' applies to all entities of 'Thing', and not to 'Part' alone. Call it on Entity<Thing>()")]
    [InlineData("DCD013", "model.Entity<Thing>().Property(t => t.Name).HasConversion<int>();", "'int' is not a class derived from ValueConverter")]
    [InlineData("DCD007", "model.Entity<Thing>().HasIndex(t => t.List);", "'List' is not a single value")]
    [InlineData("DCD023", "model.Entity<Thing>().Property(t => t.Count).IsCounter(maximum: 1, minimum: 2);", "Its minimum 2 is greater than its maximum 1")]
    [InlineData("DCD024", "model.Entity<Thing>().IsSerial().Property(t => t.Name).ValueGeneratedOnAdd();", "The property 'Thing.Name' cannot get numbers")]
    [InlineData("DCD014", "model.Entity<Thing>().Property(t => t.Count).IsCounter(Environment.ProcessId, null);", "'Environment.ProcessId' is not a constant")]
    public void Model_code_that_cannot_be_analyzed_is_reported(string id, string statement, string message) => Reported(
        GeneratorRun.Of($$"""
            class Thing
            {
                public long Id { get; set; }
                public string Name { get; set; } = "";
                public List<int> List { get; set; } = [];
                public int Count { get; set; }
                [Ignore] public object? Ignored { get; set; }
            }
            class Part : Thing;
            class Other { public long Id { get; set; } }
            partial class TestContext(DatacakeNode node) : DatacakeContext(node)
            {
                string Name => "";
                internal partial Keyspace<Thing> Things { get; }
                static void Describe(ModelBuilder model, int number) { }
                static void Describe(int number) { }
                static void Again(ModelBuilder model) => Again(model);
                void Describe(EntityTypeBuilder<Thing> thing) { }
                protected override void OnModelCreating(ModelBuilder model)
                {
                    {{statement}}
                }
            }
            """), id, message);

    [Theory]
    [InlineData("model.Entity<Thing>().ToTable(\"things\");", "ToKeyspace(name)")]
    [InlineData("model.Entity<Thing>().HasAlternateKey(t => t.Name);", "make the class serial, and declare a unique index")]
    [InlineData("model.Entity<Thing>().Property(t => t.Name).HasColumnName(\"n\").IsRequired();", "HasFormerName(name)")]
    [InlineData("model.Entity<Thing>().OwnsOne(t => t.Name);", "is always owned")]
    [InlineData("model.Entity<Thing>().Property(t => t.Name).IsRowVersion();", "Call IsConcurrencyToken()")]
    [InlineData("model.Entity<Thing>().Property(t => t.Name).HasDefaultValueSql(\"1\");", "Write an initializer")]
    [InlineData("model.Entity<Thing>().Property(t => t.Name).HasColumnType(\"varchar(10)\");", "determines how it is stored")]
    public void Builder_call_that_differs_from_Entity_Framework_is_explained(string statement, string message)
    {
        var run = GeneratorRun.Of($$"""
            class Thing { public long Id { get; set; } public string Name { get; set; } = ""; }
            partial class TestContext(DatacakeNode node) : DatacakeContext(node)
            {
                internal partial Keyspace<Thing> Things { get; }
                protected override void OnModelCreating(ModelBuilder model)
                {
                    {{statement}}
                }
            }
            """);
        var error = Assert.Single(run.CompilerDiagnostics);
        Assert.Equal("CS0619", error.Id);
        Assert.Contains(message, error.GetMessage(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        Assert.Empty(run.Diagnostics);
    }

    [Theory]
    [InlineData("context.SaveChanges()", "Await SaveChangesAsync()")]
    [InlineData("context.Things.FromSql($\"select 1\")", "Write the query in C#")]
    public void Context_member_that_differs_from_Entity_Framework_is_explained(string expression, string message)
    {
        var run = GeneratorRun.Of($$"""
            class Thing { public long Id { get; set; } }
            partial class TestContext(DatacakeNode node) : DatacakeContext(node) { internal partial Keyspace<Thing> Things { get; } }
            class User { static object Use(TestContext context) => {{expression}}; }
            """);
        var error = Assert.Single(run.CompilerDiagnostics);
        Assert.Equal("CS0619", error.Id);
        Assert.Contains(message, error.GetMessage(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[Timestamp] public byte[] X { get; set; } = [];", "[Timestamp] on 'Thing.X' would have no effect. No database generates version numbers")]
    [InlineData("[System.ComponentModel.DataAnnotations.Schema.DatabaseGenerated(System.ComponentModel.DataAnnotations.Schema.DatabaseGeneratedOption.Identity)] public long X { get; set; }", "[DatabaseGenerated] on 'Thing.X' would have no effect. Values are only generated for keys")]
    [InlineData("[System.ComponentModel.DataAnnotations.Schema.DatabaseGenerated(System.ComponentModel.DataAnnotations.Schema.DatabaseGeneratedOption.Computed)] public DateTime X { get; set; }", "'Thing.X'")]
    [InlineData("public Part? X { get; set; }", "[Timestamp] on 'Part.Y'")]
    [InlineData("public List<Version> X { get; set; } = [];", "[ConcurrencyCheck] on 'Version.Z' would have no effect. The object is part of a list")]
    public void Attribute_without_effect_is_reported(string property, string message) => Reported(
        GeneratorRun.OfThing($$"""
            public class Thing { public int Id { get; set; } {{property}} }
            public class Part { [Timestamp] public byte[]? Y { get; set; } }
            public class Version { [ConcurrencyCheck] public int Z { get; set; } }
            """), "DCD019", message);

    [Fact]
    public void Each_error_has_a_section_in_the_readme()
    {
        string readme = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "README.md"));
        var descriptors = typeof(Diagnostics).GetFields().Concat(typeof(UsageDiagnostics).GetFields()).Select(field => field.GetValue(null)).OfType<DiagnosticDescriptor>().ToList();
        Assert.Equal(31, descriptors.Count);
        Assert.All(descriptors, descriptor => Assert.Contains($"### {descriptor.Id}\n", readme, StringComparison.Ordinal));
    }

    [Fact]
    public void All_errors_of_a_class_are_reported_at_once()
    {
        var run = GeneratorRun.OfThing(
            "public class Thing { public int Id { get; set; } public object? X { get; set; } [Counter] public string Y { get; set; } = \"\"; }");
        Assert.Equal(["DCD005", "DCD006"], run.Diagnostics.Select(diagnostic => diagnostic.Id).Order());
    }

    [Fact]
    public void Error_of_the_generator_causes_no_compiler_errors() =>
        Assert.Empty(GeneratorRun.OfThing("public class Thing { public int Number { get; set; } }").CompilerDiagnostics);

    [Fact]
    public void Missing_type_is_reported_only_by_the_compiler()
    {
        var run = GeneratorRun.OfThing("public class Thing { public int Id { get; set; } public Part? A { get; set; } public List<Part[]> B { get; set; } = []; }");
        Assert.Empty(run.Diagnostics);
        Assert.All(run.CompilerDiagnostics, diagnostic => Assert.Equal("CS0246", diagnostic.Id));
    }

    static void Reported(GeneratorRun run, string id, string message)
    {
        var diagnostic = Assert.Single(run.Diagnostics);
        Assert.Equal(id, diagnostic.Id);
        Assert.Equal(DiagnosticSeverity.Error, diagnostic.Severity);
        Assert.Contains(message, diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal);
        Assert.True(Uri.TryCreate(diagnostic.Descriptor.HelpLinkUri, UriKind.Absolute, out var help) && help.Scheme == Uri.UriSchemeHttps, diagnostic.Descriptor.HelpLinkUri);
        Assert.Equal($"#{id}", help.Fragment, ignoreCase: true);
        Assert.True(diagnostic.Location.GetLineSpan().IsValid);
    }
}
