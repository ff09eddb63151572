using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers.Tests;

public class RelationTests
{
    const string Usings = "using System.ComponentModel.DataAnnotations.Schema;\n";

    [Theory]
    [InlineData("public class A { public int Id { get; set; } public int BId { get; set; } public B? B { get; set; } } public class B { public int Id { get; set; } }", "A.BId to B, required, Cascade, B")]
    [InlineData("public class A { public int Id { get; set; } public int? PartBId { get; set; } public B? Part { get; set; } } public class B { public int BId { get; set; } public List<A> As { get; } = []; }", "A.PartBId to B, optional, SetNull, Part, As")]
    [InlineData("public class A { public int Id { get; set; } public string? BCode { get; set; } public B? Part { get; init; } } public class B { [Key] public string Code { get; set; } = \"\"; public ISet<A>? As { get; set; } }", "A.BCode to B, optional, SetNull, Part, As")]
    [InlineData("public class A { public int Id { get; set; } public Guid Owner { get; set; } [ForeignKey(nameof(Owner))] public B? Part { get; private set; } } public class B { public Guid Id { get; set; } readonly HashSet<A> _as = []; public IEnumerable<A> As => _as; }", "A.Owner to B, required, Cascade, Part, As")]
    [InlineData("public class A { public int Id { get; set; } [ForeignKey(\"Part\")] public long Owner { get; set; } public B Part { get; set; } = null!; } public class B { public long Id { get; set; } }", "A.Owner to B, required, Cascade, Part")]
    [InlineData("public class A { public int Id { get; set; } public int BId { get; set; } } public class B { public int Id { get; set; } List<A>? _as; public virtual ICollection<A> As => _as ??= new List<A>(); }", "A.BId to B, required, Cascade, -, As")]
    [InlineData("public class A { public int Id { get; set; } public int BId { get; set; } B? _b = null; public B? B => _b; } public class B { public int Id { get; set; } ICollection<A>? all; public ICollection<A> As { get { return all ?? (all = new HashSet<A>()); } } }", "A.BId to B, required, Cascade, B, As")]
    [InlineData("public class A { public int Id { get; set; } public int BId { get; set; } } public class B { public int Id { get; set; } public ICollection<A> As { get; set; } = []; }", "A.BId to B, required, Cascade, -, As")]
    [InlineData("public class A { public int Id { get; set; } public int BId { get; set; } public B? B { get; set; } } public class B { public int Id { get; set; } public A? A { get; set; } }", "A.BId to B, required, Cascade, B, A, unique")]
    [InlineData("public class A { public int Id { get; set; } public int BId { get; set; } } public class B { public int Id { get; set; } public A? A { get; set; } }", "A.BId to B, required, Cascade, -, A, unique")]
    [InlineData("public class A { public int Id { get; set; } public int? AboveId { get; set; } public A? Above { get; set; } public List<A> Below { get; set; } = []; } public class B { public int Id { get; set; } }", "A.AboveId to A, optional, SetNull, Above, Below")]
    [InlineData("public class A { public int Id { get; set; } public int HomeId { get; set; } public B? Home { get; set; } public int GuestId { get; set; } public B? Guest { get; set; } } public class B { public int Id { get; set; } [InverseProperty(\"Guest\")] public List<A> Abroad { get; } = []; public List<A> AtHome { get; } = []; }", "A.HomeId to B, required, Cascade, Home, AtHome", "A.GuestId to B, required, Cascade, Guest, Abroad")]
    [InlineData("public class A { public int Id { get; set; } public int? BX { get; set; } public string? BY { get; set; } public B? B { get; set; } } public class B { [Key] public int X { get; set; } [Key] public string Y { get; set; } = \"\"; }", "A.BX, BY to B, optional, SetNull, B")]
    [InlineData("[Derived(typeof(C))] public class A { public int Id { get; set; } } public class C : A { public int BId { get; set; } public B? B { get; set; } } public class B { public int Id { get; set; } public List<A>? As { get; set; } }", "A.BId to B, required, Cascade, B, As")]
    [InlineData("public class A { public int Id { get; set; } public int BId { get; set; } } public class B { public int Id { get; set; } readonly List<A> _as = []; public ICollection<A> As => _as; }", "A.BId to B, required, Cascade, -, As")]
    [InlineData("public class A { public int Id { get; set; } public int BId { get; set; } } public class Many<T> { readonly HashSet<T> _as = []; public IEnumerable<T> As => _as; } public class B : Many<A> { public int Id { get; set; } }", "A.BId to B, required, Cascade, -, As")]
    [InlineData("public class A { public int Id { get; set; } public int BId { get; set; } public B? B { get; set; } } public class B { public int Id { get; set; } sealed class Shut : List<A>; readonly Shut _as = []; public IEnumerable<A> As => _as; }", "A.BId to B, required, Cascade, B")]
    public void Relation_is_found_by_convention_and_attributes(string source, params string[] expected)
    {
        var run = GeneratorRun.Of(Usings + source + Context(""));
        Assert.Empty(run.Diagnostics);
        Assert.Empty(run.CompilerDiagnostics);
        Assert.Equal(expected, RelationsOf(run));
    }

    [Theory]
    [InlineData("model.Entity<A>().HasOne(a => a.One).WithMany(b => b.Many).HasForeignKey(a => a.X);", "A.X to B, required, Cascade, One, Many")]
    [InlineData("model.Entity<B>().HasMany(b => b.Many).WithOne(a => a.One).HasForeignKey(a => a.X).OnDelete(DeleteBehavior.Restrict);", "A.X to B, required, Restrict, One, Many")]
    [InlineData("model.Entity<B>().HasMany(b => b.Many).WithOne(a => a.One).HasForeignKey(a => a.Y).IsRequired();", "A.Y to B, required, Cascade, One, Many")]
    [InlineData("model.Entity<A>(a => { a.HasOne(x => x.One).WithMany().HasForeignKey(x => x.Y).OnDelete(DeleteBehavior.NoAction); a.Ignore(x => x.Z); }); model.Entity<B>().Ignore(b => b.Many);", "A.Y to B, optional, NoAction, One")]
    [InlineData("model.Entity<A>().HasOne<B>().WithMany().HasForeignKey(a => a.X); model.Entity<A>().Ignore(a => a.One); model.Entity<B>().Ignore(b => b.Many);", "A.X to B, required, Cascade, -")]
    [InlineData("model.Entity<A>().Ignore(a => a.One); model.Entity<B>().Ignore(b => b.Many).HasOne<A>().WithOne().HasForeignKey<A>(a => a.Y);", "A.Y to B, optional, SetNull, -, -, unique")]
    public void Relation_is_read_from_OnModelCreating(string statements, string expected)
    {
        var run = GeneratorRun.Of(Usings + """
            public class A { public int Id { get; set; } public int X { get; set; } public int? Y { get; set; } public B? One { get; set; } public string? Z { get; set; } }
            public class B { public int Id { get; set; } public List<A> Many { get; } = []; }
            """ + Context(statements));
        Assert.Empty(run.Diagnostics);
        Assert.Empty(run.CompilerDiagnostics);
        Assert.Equal([expected.Replace(", -, -", ", -", StringComparison.Ordinal)], RelationsOf(run));
    }

    [Theory]
    [InlineData("DCD005", "public class A { public int Id { get; set; } public B? B { get; set; } } public class B { public long Id { get; set; } }", "", "Add 'public long BId { get; set; }' to 'A', name a foreign key with [ForeignKey], or call Entity<A>().HasOne(e => e.B)")]
    [InlineData("DCD005", "public class A { public int Id { get; set; } } public class B { public long Id { get; set; } public List<A> As { get; } = []; }", "", "Add 'public long BId { get; set; }' to it, or call Entity<B>().HasMany(e => e.As) in OnModelCreating. To leave the property out, mark it with [Ignore]")]
    [InlineData("DCD005", "public class A { public int Id { get; set; } public List<B> Bs { get; } = []; } public class B { public int Id { get; set; } public List<A> As { get; } = []; }", "", "A many-to-many relation needs a class that refers to both, with a keyspace of its own, such as 'AB' with 'AId' and 'BId'")]
    [InlineData("DCD005", "public class A { public int Id { get; set; } public int XId { get; set; } public B? X { get; set; } public int YId { get; set; } public B? Y { get; set; } } public class B { public int Id { get; set; } public List<A> As { get; } = []; }", "", "'A' refers to 'B' in more than one way, and it is not known which one is meant. Use [InverseProperty]")]
    [InlineData("DCD005", "public class A { public int Id { get; set; } public int PId { get; set; } public P? P { get; set; } } public class B { public int Id { get; set; } } public class P { public int Id { get; set; } }", "", "the foreign key 'A.PId' relates it to 'A', but the context has no keyspace of it. Add 'public partial Keyspace<P> Ps { get; }'")]
    [InlineData("DCD005", "public class A { public int Id { get; set; } public List<P> Ps { get; } = []; } public class B { public int Id { get; set; } } public class P { public int Id { get; set; } public int AId { get; set; } }", "", "the foreign key 'P.AId' relates it to 'A'")]
    [InlineData("DCD005", "[Derived(typeof(C))] public class A { public int Id { get; set; } } public class C : A; public class B { public int Id { get; set; } public int CId { get; set; } public C? C { get; set; } }", "", "'C' is stored among the entities of 'A'. Refer to 'A'")]
    [InlineData("DCD020", "public class A { public int Id { get; set; } public int BId { get; set; } public B? B { get; set; } } public class B { public long Id { get; set; } }", "", "'A.BId' is of type 'int', but the key 'B.Id' that it refers to is of type 'long'. Give both the same type")]
    [InlineData("DCD020", "public class A { public int Id { get; set; } public int BId { get; set; } public B? B { get; set; } } public class B { public int Id { get; set; } }", "model.Entity<A>().HasOne(a => a.B).WithMany().OnDelete(DeleteBehavior.SetNull);", "is not nullable, which OnDelete(DeleteBehavior.SetNull) requires")]
    [InlineData("DCD020", "public class A { public int Id { get; set; } [Ignore] public B? B { get; set; } } public class B { public int Id { get; set; } }", "model.Entity<A>().HasOne(a => a.B).WithMany().HasForeignKey(a => a.Id);", "'A' has no property 'B' that is of type 'B', can be set, and is not ignored")]
    [InlineData("DCD020", "public class A { public int Id { get; set; } public B? B { get; set; } } public class B { public int Id { get; set; } }", "model.Entity<A>().HasOne(a => a.B).WithMany();", "has no foreign key. Name it with HasForeignKey, or add a property 'BId'")]
    [InlineData("DCD020", "public class A { public int Id { get; set; } public int BId { get; set; } } public class B { [Key] public int X { get; set; } [Key] public int Y { get; set; } }", "model.Entity<A>().HasOne<B>().WithMany().HasForeignKey(a => a.BId);", "have different numbers of properties: 1 and 2")]
    [InlineData("DCD020", "public class A { public int Id { get; set; } public int BX { get; set; } [Ignore] public int BY { get; set; } } public class B { [Key] public int X { get; set; } [Key] public int Y { get; set; } }", "model.Entity<A>().HasOne<B>().WithMany().HasForeignKey(a => new { a.BX, a.BY });", "'A' has no property 'BY'.")]
    [InlineData("DCD020", "public class A { public int Id { get; set; } public int CId { get; set; } } public class B { public int Id { get; set; } } public class C { public int Id { get; set; } }", "model.Entity<A>().HasOne<C>().WithMany().HasForeignKey(a => a.CId);", "The context has no keyspace of 'C'")]
    [InlineData("DCD005", "public class Part<T> { public T? B { get; set; } public List<T> Bs { get; set; } = []; } public class A : Part<B> { public int Id { get; set; } public int BId { get; set; } public new void B() { } } public class B { public int Id { get; set; } public int AId { get; set; } }", "", "'Part.B' cannot be stored. 'A' has a member of the same name, which hides it")]
    [InlineData("DCD020", "public class A { public int Id { get; set; } public int BId => Id; public B? B { get; set; } } public class B { public int Id { get; set; } }", "model.Entity<A>().HasOne(a => a.B).WithMany().HasForeignKey(a => a.BId);", "'A.BId' is computed and not stored")]
    [InlineData("DCD020", "public class A { public int Id { get; set; } int _b; public ref int BId => ref _b; } public class B { public int Id { get; set; } }", "model.Entity<A>().HasOne<B>().WithMany().HasForeignKey(a => a.BId);", "'A.BId' is computed and not stored")]
    [InlineData("DCD020", "public class A { public int Id { get; set; } public int PeerId { get; set; } public A? Peer { get; set; } } public class B { public int Id { get; set; } }", "model.Entity<A>().HasOne(a => a.Peer).WithOne(a => a.Peer).HasForeignKey<A>(a => a.PeerId);", "'A.Peer' cannot be the inverse of itself")]
    [InlineData("DCD020", "public class A { public int Id { get; set; } public int BId { get; set; } public B? B { get; set; } } public class B { public int Id { get; set; } public int AId { get; set; } public A? A { get; set; } }", "model.Entity<A>().HasOne(a => a.B).WithOne(b => b.A).HasForeignKey<A>(a => a.BId); model.Entity<A>().HasOne(a => a.B).WithOne(b => b.A).HasForeignKey<B>(b => b.AId);", "Declare each relation once")]
    [InlineData("DCD020", "public class A { public int Id { get; set; } public int BId { get; set; } public B? B { get; set; } public int CId { get; set; } public B? C { get; set; } } public class B { public int Id { get; set; } public List<A> As { get; } = []; }", "model.Entity<A>().HasOne(a => a.B).WithMany(b => b.As); model.Entity<A>().HasOne(a => a.C).WithMany(b => b.As);", "'B.As' already has another relation")]
    [InlineData("DCD020", "[Derived(typeof(X)), Derived(typeof(Y))] public class A { public int Id { get; set; } } public class X : A { public int BX { get; set; } } public class Y : A { public string BY { get; set; } = \"\"; } public class B { [Key] public int X { get; set; } [Key] public string Y { get; set; } = \"\"; public List<A> As { get; } = []; }", "", "needs properties of 'X' and of 'Y', and no entity has both")]
    [InlineData("DCD020", "[Derived(typeof(X)), Derived(typeof(Y))] public class A { public int Id { get; set; } } public class X : A { public int BId { get; set; } } public class Y : A { public B? B { get; set; } } public class B { public int Id { get; set; } }", "", "needs properties of 'X' and of 'Y', and no entity has both")]
    public void Invalid_relation_is_reported(string id, string source, string statements, string message)
    {
        var run = GeneratorRun.Of(Usings + source + Context(statements));
        Assert.Contains(run.Diagnostics, diagnostic => diagnostic.Id == id
            && diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture).Contains(message, StringComparison.Ordinal));
        Assert.DoesNotContain(run.CompilerDiagnostics, diagnostic => diagnostic.Severity == DiagnosticSeverity.Error);
    }

    [Theory]
    [InlineData("model.Entity<A>().HasMany(a => a.Bs).WithMany(b => b.As);", "need a class that refers to both")]
    [InlineData("model.Entity<A>().HasMany(a => a.Bs).WithOne().HasForeignKey(b => b.AId).HasPrincipalKey(a => a.Id);", "the key of its class")]
    public void Builder_call_that_differs_from_Entity_Framework_is_explained(string statements, string message)
    {
        var run = GeneratorRun.Of(
            Usings + "public class A { public int Id { get; set; } public List<B> Bs { get; } = []; } public class B { public int Id { get; set; } public int AId { get; set; } [Ignore] public List<A> As { get; } = []; }"
                + Context(statements));
        Assert.Contains(run.CompilerDiagnostics, error => error.Id == "CS0619" && error.GetMessage(System.Globalization.CultureInfo.InvariantCulture).Contains(message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("model.Entity<A>().HasMany(a => a.Bs).WithMany(b => b.As);")]
    public void Many_to_many_relation_is_reported_exactly_once_per_side(string statements)
    {
        var run = GeneratorRun.Of(
            "public class A { public int Id { get; set; } public List<B> Bs { get; } = []; } public class B { public int Id { get; set; } public List<A> As { get; } = []; }" + Context(statements));
        Assert.Equal(2, run.Diagnostics.Count);
        Assert.All(run.Diagnostics, diagnostic => Assert.Contains("A many-to-many relation needs a class that refers to both", diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("readonly List<A> _as = []; public IReadOnlyCollection<A> As => _as;", "List")]
    [InlineData("readonly List<A> _as = []; public ICollection<A> As => _as;", "List")]
    [InlineData("readonly HashSet<A> _as = []; public ISet<A> As => _as;", "HashSet")]
    public void Collection_field_is_found_behind_an_interface_property_of_a_compiled_class(string member, string type)
    {
        var domain = GeneratorRun.Of($$"""public class A { public int Id { get; set; } public int BId { get; set; } } public class B { public int Id { get; set; } {{member}} }""");
        var run = GeneratorRun.Of(Context(""), domain.ToCompiledReference());
        Assert.Empty(run.Diagnostics);
        Assert.Empty(run.CompilerDiagnostics);
        string model = run.Output.SyntaxTrees.Single(tree => tree.FilePath.Contains("BModel", StringComparison.Ordinal)).ToString();
        Assert.Contains($"new global::System.Collections.Generic.{type}<global::A>(value", model, StringComparison.Ordinal);
    }

    [Fact]
    public void Conventionally_named_field_is_not_the_backing_field_of_an_auto_property()
    {
        var run = GeneratorRun.Of(
            "public class A { public int Id { get; set; } public int BId { get; set; } } public class B { public int Id { get; set; } readonly HashSet<A> _as = []; public IEnumerable<A> As { get; } = new List<A>(); }" + Context(""));
        Assert.Empty(run.CompilerDiagnostics);
        Assert.Contains("e is global::B o ? o.As : null", run.Output.SyntaxTrees.Single(tree => tree.FilePath.Contains("BModel", StringComparison.Ordinal)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_relation_of_compiled_classes_is_reported_at_the_keyspace()
    {
        var domain = GeneratorRun.Of("public class A { public int Id { get; set; } public int BId { get; set; } public B? B { get; set; } public B? Other { get; set; } } public class B { public long Id { get; set; } }");
        var run = GeneratorRun.Of(Context(""), domain.ToCompiledReference());
        Assert.Equal(["DCD005", "DCD020"], run.Diagnostics.Select(diagnostic => diagnostic.Id).Order());
        Assert.All(run.Diagnostics, diagnostic => Assert.Contains("Keyspace<A>", run.Output.SyntaxTrees.First().GetText(TestContext.Current.CancellationToken).Lines[diagnostic.Location.GetLineSpan().StartLinePosition.Line].ToString(), StringComparison.Ordinal));
    }

    [Fact]
    public void Members_ignored_by_conventions_are_not_part_of_a_relation()
    {
        var run = GeneratorRun.Of("""
            public class A { public int Id { get; set; } public int BId { get; set; } public B? B { get; set; } public C? C { get; set; } public long CId { get; set; } }
            public class B { public int Id { get; set; } }
            public class C { public long Id { get; set; } }
            partial class TestContext(DatacakeNode node) : DatacakeContext(node)
            {
                internal partial Keyspace<A> As { get; }
                internal partial Keyspace<B> Bs { get; }
                protected override void ConfigureConventions(ModelConfigurationBuilder conventions) => conventions.IgnoreAny<C>().IgnoreAny<long>();
            }
            """);
        Assert.Empty(run.Diagnostics);
        Assert.Empty(run.CompilerDiagnostics);
        Assert.Equal(["A.BId to B, required, Cascade, B"], RelationsOf(run));
    }

    [Theory]
    [InlineData("", "BId")]
    [InlineData("model.Entity<A>().HasIndex(a => new { a.BId, a.X });", "BId_X")]
    [InlineData("model.Entity<A>().HasKey(a => new { a.BId, a.X });", "")]
    public void Foreign_key_is_indexed_unless_another_index_or_the_key_starts_with_it(string statements, string expected)
    {
        var run = GeneratorRun.Of(
            Usings + "public class A { public int Id { get; set; } public int X { get; set; } public int BId { get; set; } public B? B { get; set; } } public class B { public int Id { get; set; } }" + Context(statements));
        Assert.Empty(run.CompilerDiagnostics);
        string model = run.Output.SyntaxTrees.Single(tree => tree.FilePath.Contains("AModel", StringComparison.Ordinal)).ToString();
        if (expected.Length == 0)
            Assert.DoesNotContain("\"BId\", [", model, StringComparison.Ordinal);
        else
            Assert.Contains($"new(\"{expected}\", [", model, StringComparison.Ordinal);
        Assert.Equal(expected == "BId", model.Contains("[new(\"BId\", [\"BId\"])]", StringComparison.Ordinal));
    }

    static string Context(string statements) => $$"""

        partial class TestContext(DatacakeNode node) : DatacakeContext(node)
        {
            internal partial Keyspace<A> As { get; }
            internal partial Keyspace<B> Bs { get; }
            protected override void OnModelCreating(ModelBuilder model)
            {
                {{statements}}
            }
        }
        """;

    /// <summary>Describes the generated relations as text.</summary>
    static List<string> RelationsOf(GeneratorRun run)
    {
        var relations = new List<string>();
        var tree = run.Output.SyntaxTrees.Single(tree => tree.FilePath.Contains("Relations", StringComparison.Ordinal));
        foreach (string text in tree.ToString().Split("public static readonly").Skip(1))
        {
            string[] classes = Between(text, "RelationModel<", ">").Split(", ");
            var names = text.Split("ForeignKeyPart<").Skip(1).Select(part => Between(part, ">(\"", "\""));
            var ends = text.Split('\n').Where(line => line.Contains("NavigationAccess", StringComparison.Ordinal) || line.Trim() is "null," or "null)")
                .Select(line => line.Trim() is "null," or "null)" ? "-" : Between(line, ">(\"", "\"")).ToList();
            if (ends[1] == "-")
                ends.RemoveAt(1);
            string required = text.Contains("IsRequired = true", StringComparison.Ordinal) ? "required" : "optional";
            string unique = text.Contains("IsUnique = true", StringComparison.Ordinal) ? ", unique" : "";
            relations.Add(
                $"{classes[0].Split("::")[1]}.{string.Join(", ", names)} to {classes[1].Split("::")[1]}, {required}, {Between(text, "DeleteBehavior.", ",")}, {string.Join(", ", ends)}{unique}");
        }
        return relations;

        static string Between(string text, string start, string end) => text.Split(start)[1].Split(end)[0];
    }
}
