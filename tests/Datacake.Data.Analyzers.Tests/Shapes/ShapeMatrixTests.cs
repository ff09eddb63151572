namespace Datacake.Data.Analyzers.Tests.Shapes;

/// <summary>
/// Tests that every type in every position with every accessor either round-trips or is refused with a compile error that says why. No
/// third outcome is allowed.
/// </summary>
public sealed class ShapeMatrixTests(ShapeMatrixTests.Run run, ITestOutputHelper output) : IClassFixture<ShapeMatrixTests.Run>
{
    [Fact]
    public void Every_shape_round_trips_or_is_refused_with_an_error_code()
    {
        var problems = run.Outcomes.Where(outcome => outcome.Problem is not null).ToList();
        output.WriteLine($"{run.Outcomes.Count} shapes: {run.Outcomes.Count(outcome => outcome is { Error: null, Problem: null })} came back as they were, "
            + $"{run.Outcomes.Count(outcome => outcome is { Error: not null, Problem: null })} are errors, {problems.Count} are neither.");
        foreach (var error in run.Outcomes.Select(outcome => outcome.Error).OfType<string>().CountBy(code => code))
            output.WriteLine($"{error.Key}: {error.Value}");
        Assert.True(problems.Count == 0, string.Join("\n", problems.Select(outcome => $"{outcome.Shape}: {outcome.Problem}")));
    }

    [Fact]
    public void Table_in_the_readme_matches_the_results_of_the_matrix()
    {
        string table = SupportTable.Write(run.Outcomes), readme = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "README.md"));
        Assert.True(readme.Contains(table, StringComparison.Ordinal), $"The table should be:\n{table}");
    }

    [Fact]
    public void Accessors_and_assemblies_do_not_change_the_result()
    {
        var plain = run.Outcomes.Where(outcome => outcome.Shape is { Accessor: Accessor.GetSet, IsReferenced: false }).ToDictionary(outcome => (outcome.Shape.Kind, outcome.Shape.Position));
        Assert.All(run.Outcomes, outcome => Assert.Equal(plain[(outcome.Shape.Kind, outcome.Shape.Position)].Error, outcome.Error));
    }

    /// <summary>The matrix, run once for all tests.</summary>
    public sealed class Run : IAsyncLifetime
    {
        /// <summary>
        /// Gets n, where about one in n combinations of type, position, accessor and assembly runs in addition to all combinations of type
        /// and position. 1 runs all combinations.
        /// </summary>
        static int OneOf => int.TryParse(Environment.GetEnvironmentVariable("DATACAKE_SHAPES_ONE_OF"), out int number) ? number : 24;

        internal IReadOnlyCollection<Outcome> Outcomes { get; private set; } = [];

        public async ValueTask InitializeAsync() =>
            Outcomes = (await ShapeMatrix.RunAsync(OneOf == 1 ? Shape.All() : Shape.Sample(OneOf), TestContext.Current.CancellationToken)).Outcomes;

        public ValueTask DisposeAsync() => default;
    }
}
