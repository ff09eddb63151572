using System.Globalization;
using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers.Tests;

/// <summary>Tests of filters and seeds in contexts and configurations, whose code the generator copies to the generated part of the context.</summary>
public class ModelCodeTests
{
    [Theory]
    [InlineData("model.Entity<Thing>().HasQueryFilter(t => !t.IsDeleted);")]
    [InlineData("model.Entity<Thing>().HasQueryFilter(t => t.Tenant == Tenant && t.Tenant != tenant && Matches(t));")]
    [InlineData("model.Entity<Thing>().HasQueryFilter(\"tenant\", t => t.Tenant == this.Tenant).HasQueryFilter(filterKey: \"live\", filter: t => !t.IsDeleted);")]
    [InlineData("model.Entity<Thing>(thing => { thing.HasQueryFilter((Thing t) => t.Tenant == Static); thing.HasData(Thing.All); });")]
    [InlineData("model.Entity<Thing>().HasData(new Thing { Id = 1, Tenant = Static }, new() { Id = 2 }).HasData([new Thing { Id = 3 }]);")]
    [InlineData("model.Entity<Thing>().HasData(new Thing[] { new() { Id = 1 } });")]
    [InlineData("model.ApplyConfiguration(new Configurations.ThingConfiguration());")]
    [InlineData("model.ApplyConfigurationsFromAssembly(typeof(Thing).Assembly);")]
    [InlineData("model.ApplyConfigurationsFromAssembly(System.Reflection.Assembly.GetExecutingAssembly());")]
    [InlineData("model.ApplyConfigurationsFromAssembly(GetType().Assembly);")]
    [InlineData("_ = model.Entity<Thing>().HasQueryFilter(t => t.IsDeleted);")]
    [InlineData("model!.Entity<Thing>()!.HasQueryFilter(t => t.IsDeleted);")]
    [InlineData("var thing = (EntityTypeBuilder<Thing>)((ModelBuilder)model).Entity<Thing>(); thing.HasQueryFilter(t => t.IsDeleted);")]
    [InlineData("model.Entity<Thing>().HasQueryFilter(datacakeFilters => datacakeFilters.Tenant == nameof(Thing.Tenant) + nameof(model));")]
    [InlineData("model.Entity<Thing>().HasData(new Thing { Id = 1, Tenant = $\"{Static:x}{Static}\" }, new Thing { Tenant = ((Func<string>)(() => { const string here = \"\"; string Own() => here; return Own(); }))() });")]
    [InlineData("model.Entity<Thing>().HasQueryFilter(t => t.IsDeleted &&\n#if DEBUG\n false\n#else\n true\n#endif\n);")]
    [InlineData("model.ApplyConfiguration(new UnqualifiedConfiguration());")]
    [InlineData("model.ApplyConfiguration(new Outer.NestedConfiguration());")]
    [InlineData("model.ApplyConfiguration(new DerivedConfiguration());")]
    [InlineData("model.ApplyConfiguration(new GenericConfiguration<int>());")]
    public void Filters_seeds_and_configurations_compile(string statements)
    {
        var run = Of(statements);
        Assert.Empty(run.Diagnostics);
        Assert.Empty(run.CompilerDiagnostics.Select(diagnostic => diagnostic.ToString()));
        Assert.Contains(run.Driver.GetRunResult().GeneratedTrees, tree => tree.FilePath.EndsWith(".Model0.g.cs", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("bool wanted = true; model.Entity<Thing>().HasQueryFilter(t => t.IsDeleted == wanted);", "The filter uses 'wanted', but it can only use its argument, static members and members of the context")]
    [InlineData("model.Entity<Thing>().HasQueryFilter(Filter);", "Write the filter as a lambda")]
    [InlineData("model.Entity<Thing>().HasQueryFilter(\"\", t => t.IsDeleted);", "The name of the filter is empty")]
    [InlineData("model.Entity<Thing>().HasQueryFilter(Tenant, t => t.IsDeleted);", "'Tenant' is not a constant")]
    [InlineData("model.Entity<Thing>().HasData(new Thing { Tenant = Tenant });", "The entity uses 'this', but it can only use its argument and static members")]
    [InlineData("model.ApplyConfiguration(Configuration);", "Create the configuration in the call")]
    [InlineData("model.ApplyConfigurationsFromAssembly(typeof(string).Assembly);", "Only configurations that are compiled with the context")]
    [InlineData("const string wanted = \"\"; model.Entity<Thing>().HasQueryFilter(t => t.Tenant == wanted);", "The filter uses 'wanted', but it can only use its argument, static members and members of the context")]
    [InlineData("model.Entity<Thing>().HasData(new Thing { Tenant = Own() }); static string Own() => \"\";", "The entity uses 'Own', but it can only use its argument and static members")]
    [InlineData("model.Entity<Thing>().HasQueryFilter(t => t.Tenant == OfFile.Text);", "The filter uses 'OfFile', which the context cannot access. Make it internal")]
    [InlineData("model?.Entity<Thing>().HasQueryFilter(t => t.IsDeleted);", "Only calls on the model, and on the results of such calls, can be read")]
    [InlineData("var thing = Static.Length > 0 ? model.Entity<Thing>() : null;", "Only calls on the model, and on the results of such calls, can be read")]
    [InlineData("ModelBuilder other; other = model; other.Entity<Thing>();", "Only calls on the model, and on the results of such calls, can be read")]
    [InlineData("model.ApplyConfiguration(new PrivateConfiguration());", "The filter uses 'Secret', which the context cannot access. Make it internal")]
    [InlineData("model.ApplyConfiguration(new InstanceConfiguration(true));", "The filter uses 'this', but it can only use its argument and static members")]
    [InlineData("model.ApplyConfiguration(new LoopConfiguration());", "Only a sequence of calls on the model can be read")]
    public void Code_with_a_different_meaning_in_the_context_is_reported(string statements, string message)
    {
        var diagnostic = Of(statements).Diagnostics[0];
        Assert.Equal("DCD014", diagnostic.Id);
        Assert.Contains(message, diagnostic.GetMessage(CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }

    [Fact]
    public void Filter_on_a_derived_class_is_refused()
    {
        var diagnostic = Of("model.Entity<Thing>().HasDiscriminator().HasValue<Sub>(); model.Entity<Sub>().HasQueryFilter(s => s.IsDeleted);").Diagnostics[0];
        Assert.Contains("'HasQueryFilter' applies to all entities of 'Thing'", diagnostic.GetMessage(CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("conventions.Properties<string>().HaveMaxLength(5); conventions.Properties<Enum>().HaveConversion<string>(); conventions.IgnoreAny<Delegate>();", null)]
    [InlineData("foreach (var x in new[] { 1 }) { }", "DCD014")]
    [InlineData("conventions.Properties<Enum>().HaveConversion<int>();", "DCD013")]
    public void Conventions_are_read_like_the_model(string statements, string? error)
    {
        var run = GeneratorRun.Of($$"""
            public class Thing { public int Id { get; set; } public string Name { get; set; } = ""; public DayOfWeek Day { get; set; } public Action? Action { get; set; } }
            partial class TestContext(DatacakeNode node) : DatacakeContext(node)
            {
                internal partial Keyspace<Thing> Things { get; }
                protected override void ConfigureConventions(ModelConfigurationBuilder conventions) { {{statements}} }
            }
            """);
        if (error is null)
            Assert.Empty(run.CompilerDiagnostics.Concat(run.Diagnostics).Select(diagnostic => diagnostic.ToString()));
        else
            Assert.Contains(run.Diagnostics, diagnostic => diagnostic.Id == error);
    }

    [Fact]
    public void Configuration_in_a_referenced_project_is_reported_even_if_its_source_is_available()
    {
        var project = GeneratorRun.Of("""
            public class Thing { public int Id { get; set; } }
            public class ThingConfiguration : IEntityTypeConfiguration<Thing> { public void Configure(EntityTypeBuilder<Thing> builder) => builder.HasQueryFilter(t => t.Id > 0); }
            public abstract partial class BaseContext(DatacakeNode node) : DatacakeContext(node) { protected override void OnModelCreating(ModelBuilder model) => model.Entity<Thing>(); public partial Keyspace<Thing> Things { get; } }
            """);
        var run = GeneratorRun.Of("""
            partial class TestContext(DatacakeNode node) : DatacakeContext(node)
            {
                internal partial Keyspace<Thing> Things { get; }
                protected override void OnModelCreating(ModelBuilder model) => model.ApplyConfiguration(new ThingConfiguration());
            }
            partial class DerivedContext(DatacakeNode node) : BaseContext(node) { internal partial Keyspace<Thing> Again { get; } }
            """, project.Output.ToMetadataReference());
        Assert.Equal(["DCD010", "DCD014"], run.Diagnostics.Select(diagnostic => diagnostic.Id).Order());
    }

    [Theory]
    [InlineData("class BookConfig : BaseConfig<Book> { public override void Configure(EntityTypeBuilder<Book> b) { base.Configure(b); b.HasIndex(x => x.Title); } }", "model.ApplyConfiguration(new BookConfig());")]
    [InlineData("class BookConfig : BaseConfig<Book>; class AuthorConfig : BaseConfig<Author> { public override void Configure(EntityTypeBuilder<Author> b) => base.Configure(b); }", "model.ApplyConfigurationsFromAssembly(typeof(Book).Assembly).Entity<Book>().HasIndex(x => x.Title);")]
    [InlineData("abstract class Middle<TKey, TEntity> : BaseConfig<TEntity> where TEntity : Entity<long> { public override void Configure(EntityTypeBuilder<TEntity> b) { base.Configure(b); More(b); } protected abstract void More(EntityTypeBuilder<TEntity> b); } class BookConfig : Middle<long, Book> { protected override void More(EntityTypeBuilder<Book> b) => b.HasIndex(x => x.Title); }", "model.ApplyConfiguration(new BookConfig());")]
    [InlineData("class BookConfig : IEntityTypeConfiguration<Book> { public void Configure(EntityTypeBuilder<Book> b) { Base(b); this.Index(b.Audited()); } static void Base<T>(EntityTypeBuilder<T> all) where T : Entity<long> => all.HasQueryFilter(e => !e.IsDeleted && typeof(T) != null).Ignore(e => e.Events); void Index(EntityTypeBuilder<Book> b) => b.HasIndex(x => x.Title); }", "model.ApplyConfiguration(new BookConfig());")]
    [InlineData("", "Describe<Book>(model); static void Unused() { }", "DCD014")]
    [InlineData("", "Describe<Book>(model);")]
    public void Base_classes_of_configurations_and_methods_that_take_builders_are_followed(string configurations, string statements, string? error = null)
    {
        var run = OfBooks(configurations, statements);
        Assert.Equal(error is null ? [] : [error], run.Diagnostics.Select(diagnostic => diagnostic.Id));
        Assert.Empty(run.CompilerDiagnostics.Where(diagnostic => diagnostic.Id != "CS8321").Select(diagnostic => diagnostic.ToString()));
        string model = run.Output.SyntaxTrees.Single(tree => tree.FilePath.Contains("BookModel", StringComparison.Ordinal)).ToString();
        Assert.Contains("new(\"Title\", [\"Title\"])", model, StringComparison.Ordinal);
        Assert.DoesNotContain("Events", model, StringComparison.Ordinal);
        Assert.Contains(run.Output.SyntaxTrees, tree => tree.ToString().Contains(".Add<global::Book>(null, e => !e.IsDeleted", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("class BookConfig : IEntityTypeConfiguration<Book> { public void Configure(EntityTypeBuilder<Book> b) => All(b); void All<T>(EntityTypeBuilder<T> b) where T : class, IShown => b.HasQueryFilter(e => e.IsShown); }", "The filter uses 'IShown.IsShown', which is not the member 'IsShown' of 'Book'. Write it in code that names 'Book' instead of a type parameter")]
    [InlineData("class BookConfig : IEntityTypeConfiguration<Book> { public void Configure(EntityTypeBuilder<Book> b) => All(b); void All<T>(EntityTypeBuilder<T> b) where T : Entity<long> => b.HasQueryFilter(e => e.Hidden == null); }", "The filter uses 'Entity.Hidden', which is not the member 'Hidden' of 'Book'")]
    public void Base_class_member_that_the_entity_class_hides_or_reimplements_is_reported(string configuration, string message)
    {
        var diagnostic = Assert.Single(OfBooks(configuration, "model.ApplyConfiguration(new BookConfig()).Entity<Book>().Ignore(b => b.Events);").Diagnostics);
        Assert.Equal("DCD014", diagnostic.Id);
        Assert.Contains(message, diagnostic.GetMessage(CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("class ThingConfiguration : BaseConfiguration<Thing>;", "'ThingConfiguration' inherits Configure from 'BaseConfiguration' in another assembly, and only code that is compiled with the context can be read. Write Configure in 'ThingConfiguration'")]
    [InlineData("class ThingConfiguration : BaseConfiguration<Thing> { public override void Configure(EntityTypeBuilder<Thing> b) => base.Configure(b); }", "'BaseConfiguration.Configure' is in another assembly, and only methods that are compiled with the context can be read. Write its calls here")]
    public void Compiled_base_class_of_a_configuration_is_named(string configuration, string message)
    {
        var project = GeneratorRun.Of("public abstract class BaseConfiguration<T> : IEntityTypeConfiguration<T> where T : class { public virtual void Configure(EntityTypeBuilder<T> b) => b.HasDiscriminator(); }");
        var run = GeneratorRun.Of($$"""
            public class Thing { public int Id { get; set; } }
            {{configuration}}
            partial class TestContext(DatacakeNode node) : DatacakeContext(node)
            {
                internal partial Keyspace<Thing> Things { get; }
                protected override void OnModelCreating(ModelBuilder model) => model.ApplyConfiguration(new ThingConfiguration());
            }
            """, project.ToCompiledReference());
        var diagnostic = Assert.Single(run.Diagnostics);
        Assert.Equal("DCD014", diagnostic.Id);
        Assert.Contains(message, diagnostic.GetMessage(CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }

    static GeneratorRun OfBooks(string configurations, string statements) => GeneratorRun.Of($$"""
        public interface IShown { bool IsShown { get; } }
        public abstract class Entity<TKey> { public TKey Id { get; set; } = default!; public bool IsDeleted { get; set; } public List<object> Events { get; } = []; [Ignore] public object? Hidden { get; set; } }
        public class Book : Entity<long>, IShown { public string Title { get; set; } = ""; bool IShown.IsShown => true; [Ignore] public new string? Hidden { get; set; } }
        public class Author : Entity<long>;
        public abstract class BaseConfig<T> : IEntityTypeConfiguration<T> where T : Entity<long>
        {
            public virtual void Configure(EntityTypeBuilder<T> b) { b.HasKey(e => e.Id); b.HasQueryFilter(e => !e.IsDeleted); b.Ignore(e => e.Events); }
        }
        static class Extensions { public static EntityTypeBuilder<T> Audited<T>(this EntityTypeBuilder<T> b) where T : class { return b.DeleteWins(); } }
        {{configurations}}
        partial class TestContext(DatacakeNode node) : DatacakeContext(node)
        {
            internal partial Keyspace<Book> Books { get; }
            internal partial Keyspace<Author> Authors { get; }
            void Describe<T>(ModelBuilder model) where T : Book { model.Entity<T>(b => { b.HasQueryFilter(e => !e.IsDeleted).HasIndex(e => e.Title); b.Ignore(e => e.Events); }); }
            protected override void OnModelCreating(ModelBuilder model) { model.Entity<Author>().Ignore(a => a.Events); {{statements}} }
        }
        """);

    static GeneratorRun Of(string statements) => GeneratorRun.Of($$"""
        namespace Some.Configurations
        {
            using static System.Math;
            using Words = Some.Texts.Words;

            class ThingConfiguration : IEntityTypeConfiguration<Some.Things.Thing>
            {
                void IEntityTypeConfiguration<Some.Things.Thing>.Configure(EntityTypeBuilder<Some.Things.Thing> builder) =>
                    builder.HasQueryFilter(t => t.Id > Abs(-1) || t.Tenant == Words.Any || t.Tenant == Local.Name || t.Tenant == Texts.Words.Any || Texts.Pair<Local.Named>.Any == null).HasData(new Some.Things.Thing { Id = Abs(-1) });
            }

            static class Local { public static string Name => ""; internal sealed class Named; }
        }

        namespace Some.Texts
        {
            static class Words { public const string Any = "any"; }
            static class Pair<T> { public static T? Any => default; }
        }

        namespace Some.Things
        {
            public class Thing
            {
                public long Id { get; set; }
                public string Tenant { get; set; } = "";
                public bool IsDeleted { get; set; }
                public static IReadOnlyList<Thing> All { get; } = [];
            }

            public class Sub : Thing;

            {{Configuration("UnqualifiedConfiguration", "public const string Name = \"\";", "t.Tenant == Name", statements)}}
            {{If("DerivedConfiguration", "class BaseConfiguration<T> : IEntityTypeConfiguration<T> where T : Thing { public void Configure(EntityTypeBuilder<T> builder) { builder.HasQueryFilter(t => t.IsDeleted); } } class DerivedConfiguration : BaseConfiguration<Thing>;", statements)}}
            {{If("GenericConfiguration", "class GenericConfiguration<T> : IEntityTypeConfiguration<Thing> { public void Configure(EntityTypeBuilder<Thing> builder) { builder.HasQueryFilter(t => typeof(T) != null); } }", statements)}}
            {{If("NestedConfiguration", "static class Outer { internal const string Near = \"\"; internal static class Words { internal const string Any = \"\"; } " + Configuration("NestedConfiguration", "", "t.Tenant == Near || t.Tenant == Words.Any", statements) + " }", statements)}}
            file static class OfFile { public const string Text = ""; }
            {{Configuration("PrivateConfiguration", "const string Secret = \"\";", "t.Tenant == PrivateConfiguration.Secret", statements)}}
            {{Configuration("InstanceConfiguration(bool isDeleted)", "readonly bool _isDeleted = isDeleted;", "t.IsDeleted == _isDeleted", statements)}}
            {{Configuration("LoopConfiguration", "", "true); while (false) { } builder.HasQueryFilter(t => true", statements)}}

            partial class TestContext(DatacakeNode node, string tenant) : DatacakeContext(node)
            {
                internal partial Keyspace<Thing> Things { get; }
                string Tenant { get; set; } = "";
                string Given => tenant;
                static string Static => "";
                string Words => "";         // which these are not, where configurations name them
                string Local => "";
                static bool Matches(Thing thing) => true;
                static System.Linq.Expressions.Expression<Func<Thing, bool>> Filter => t => true;
                static IEntityTypeConfiguration<Thing> Configuration => null!;

                protected override void OnModelCreating(ModelBuilder model)
                {
                    {{statements}}
                }
            }
        }
        """);

    /// <summary>
    /// Returns a configuration class if the statements name it. Other classes are left out, because ApplyConfigurationsFromAssembly would
    /// find them.
    /// </summary>
    static string Configuration(string declaration, string member, string filter, string statements) => If(
        declaration.Split('(')[0],
        $$"""
        internal class {{declaration}} : IEntityTypeConfiguration<Thing>
        {
            {{member}}
            public void Configure(EntityTypeBuilder<Thing> builder) { builder.HasQueryFilter(t => {{filter}}); }
        }
        """,
        statements);

    static string If(string name, string source, string statements) => statements.Contains(name, StringComparison.Ordinal) ? source : "";
}
