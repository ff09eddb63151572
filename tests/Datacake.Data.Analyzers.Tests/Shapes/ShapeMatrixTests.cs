namespace Datacake.Data.Analyzers.Tests.Shapes;

/// <summary>Every type in every position with every accessor: it comes back as it was, or it is a compile error that says why. There is no third outcome.</summary>
public sealed class ShapeMatrixTests(ShapeMatrixTests.Run run, ITestOutputHelper output) : IClassFixture<ShapeMatrixTests.Run>
{
    [Fact]
    public void Every_shape_comes_back_as_it_was_or_is_an_error_with_a_code()
    {
        var problems = run.Outcomes.Where(outcome => outcome.Problem is not null).ToList();
        output.WriteLine($"{run.Outcomes.Count} shapes: {run.Outcomes.Count(outcome => outcome is { Error: null, Problem: null })} came back as they were, "
            + $"{run.Outcomes.Count(outcome => outcome is { Error: not null, Problem: null })} are errors, {problems.Count} are neither.");
        foreach (var error in run.Outcomes.Select(outcome => outcome.Error).OfType<string>().CountBy(code => code))
            output.WriteLine($"{error.Key}: {error.Value}");
        Assert.True(problems.Count == 0, string.Join("\n", problems.Select(outcome => $"{outcome.Shape}: {outcome.Problem}")));
    }

    [Fact]
    public void The_table_of_the_readme_is_what_the_matrix_finds()
    {
        string table = SupportTable.Write(run.Outcomes), readme = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "README.md"));
        Assert.True(readme.Contains(table, StringComparison.Ordinal), $"The table should be:\n{table}");
    }

    [Fact]
    public void Accessors_and_assemblies_make_no_difference()
    {
        var plain = run.Outcomes.Where(outcome => outcome.Shape is { Accessor: Accessor.GetSet, IsReferenced: false }).ToDictionary(outcome => (outcome.Shape.Kind, outcome.Shape.Position));
        Assert.All(run.Outcomes, outcome => Assert.Equal(plain[(outcome.Shape.Kind, outcome.Shape.Position)].Error, outcome.Error));
    }

    /// <summary>The matrix, run once for all tests.</summary>
    public sealed class Run : IAsyncLifetime
    {
        /// <summary>One of so many combinations of type, position, accessor and assembly is run, beside all of type and position; 1 runs them all.</summary>
        static int OneOf => int.TryParse(Environment.GetEnvironmentVariable("DATACAKE_SHAPES_ONE_OF"), out int number) ? number : 24;

        internal IReadOnlyCollection<Outcome> Outcomes { get; private set; } = [];

        public async ValueTask InitializeAsync() =>
            Outcomes = (await ShapeMatrix.RunAsync(OneOf == 1 ? Shape.All() : Shape.Sample(OneOf), TestContext.Current.CancellationToken)).Outcomes;

        public ValueTask DisposeAsync() => default;
    }
}
