using System.Globalization;
using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers.Tests;

/// <summary>Code of the model that is repeated in the generated part of the context: filters and seeds, in the context and in configurations.</summary>
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
    public void Filters_seeds_and_configurations_compile(string statements)
    {
        var run = Of(statements);
        Assert.Empty(run.Diagnostics);
        Assert.Empty(run.CompilerDiagnostics.Select(diagnostic => diagnostic.ToString()));
        Assert.Contains(run.Driver.GetRunResult().GeneratedTrees, tree => tree.FilePath.EndsWith(".Model0.g.cs", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("bool wanted = true; model.Entity<Thing>().HasQueryFilter(t => t.IsDeleted == wanted);", "the filter uses 'wanted', and can only use its argument, static members and members of the context")]
    [InlineData("model.Entity<Thing>().HasQueryFilter(Filter);", "write the filter as a lambda")]
    [InlineData("model.Entity<Thing>().HasQueryFilter(\"\", t => t.IsDeleted);", "a filter has a name that is not empty")]
    [InlineData("model.Entity<Thing>().HasQueryFilter(Tenant, t => t.IsDeleted);", "'Tenant' is not a constant")]
    [InlineData("model.Entity<Thing>().HasData(new Thing { Tenant = Tenant });", "the entity uses 'this', and can only use its argument and static members")]
    [InlineData("model.ApplyConfiguration(Configuration);", "make the configuration here")]
    [InlineData("model.ApplyConfigurationsFromAssembly(typeof(string).Assembly);", "only configurations that are compiled with the context")]
    [InlineData("model.ApplyConfiguration(new UnqualifiedConfiguration());", "name the class of 'Name', as in UnqualifiedConfiguration.Name")]
    [InlineData("model.ApplyConfiguration(new PrivateConfiguration());", "the filter uses 'Secret', which the context cannot see; make it internal")]
    [InlineData("model.ApplyConfiguration(new InstanceConfiguration(true));", "the filter uses 'this', and can only use its argument and static members")]
    [InlineData("model.ApplyConfiguration(new LoopConfiguration());", "only calls on the model, one after the other")]
    public void What_means_something_else_in_the_context_is_reported(string statements, string message)
    {
        var diagnostic = Of(statements).Diagnostics[0];
        Assert.Equal("DCD014", diagnostic.Id);
        Assert.Contains(message, diagnostic.GetMessage(CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }

    [Fact]
    public void A_filter_of_a_derived_class_is_refused_since_it_would_be_of_all()
    {
        var diagnostic = Of("model.Entity<Thing>().HasDiscriminator().HasValue<Sub>(); model.Entity<Sub>().HasQueryFilter(s => s.IsDeleted);").Diagnostics[0];
        Assert.Contains("'HasQueryFilter' is of all entities of 'Thing'", diagnostic.GetMessage(CultureInfo.InvariantCulture), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("conventions.Properties<string>().HaveMaxLength(5); conventions.Properties<Enum>().HaveConversion<string>(); conventions.IgnoreAny<Delegate>();", null)]
    [InlineData("foreach (var x in new[] { 1 }) { }", "DCD014")]
    [InlineData("conventions.Properties<Enum>().HaveConversion<int>();", "DCD013")]
    public void Conventions_are_read_as_the_model_is(string statements, string? error)
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

    static GeneratorRun Of(string statements) => GeneratorRun.Of($$"""
        namespace Some.Configurations
        {
            using static System.Math;
            using Words = Some.Texts.Words;

            class ThingConfiguration : IEntityTypeConfiguration<Some.Things.Thing>
            {
                void IEntityTypeConfiguration<Some.Things.Thing>.Configure(EntityTypeBuilder<Some.Things.Thing> builder) =>
                    builder.HasQueryFilter(t => t.Id > Abs(-1) || t.Tenant == Words.Any || t.Tenant == Local.Name).HasData(new Some.Things.Thing { Id = Abs(-1) });
            }

            static class Local { public static string Name => ""; }
        }

        namespace Some.Texts
        {
            static class Words { public const string Any = "any"; }
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
            {{Configuration("PrivateConfiguration", "const string Secret = \"\";", "t.Tenant == PrivateConfiguration.Secret", statements)}}
            {{Configuration("InstanceConfiguration(bool isDeleted)", "readonly bool _isDeleted = isDeleted;", "t.IsDeleted == _isDeleted", statements)}}
            {{Configuration("LoopConfiguration", "", "true); while (false) { } builder.HasQueryFilter(t => true", statements)}}

            partial class TestContext(DatacakeNode node, string tenant) : DatacakeContext(node)
            {
                internal partial Keyspace<Thing> Things { get; }
                string Tenant { get; set; } = "";
                string Given => tenant;
                static string Static => "";
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

    /// <summary>A configuration that the statements name; others would be found by a look through the assembly.</summary>
    static string Configuration(string declaration, string member, string filter, string statements) =>
        statements.Contains(declaration.Split('(')[0], StringComparison.Ordinal)
            ? $$"""
                class {{declaration}} : IEntityTypeConfiguration<Thing>
                {
                    {{member}}
                    public void Configure(EntityTypeBuilder<Thing> builder) { builder.HasQueryFilter(t => {{filter}}); }
                }
                """
            : "";
}
