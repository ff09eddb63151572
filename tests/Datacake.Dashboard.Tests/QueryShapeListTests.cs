using Datacake.Dashboard.Queries;

namespace Datacake.Dashboard.Tests;

/// <summary>The list of query shapes adds up their runs, and is bounded.</summary>
public class QueryShapeListTests
{
    static readonly DateTimeOffset Start = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Fact]
    public void Runs_of_a_shape_add_up()
    {
        var shapes = new QueryShapeList(10, TimeProvider.System);

        shapes.Add(Run("a", 1, milliseconds: 30, read: 100) with { Remedy = "Declare an index.", Tags = ["first"] });
        shapes.Add(Run("a", 2, milliseconds: 10, read: 20) with { Failures = 1, Tags = ["second"] });

        var shape = Assert.Single(shapes.Sorted(QueryOrder.Total));
        Assert.Equal((2L, 1L, 120L, 10L), (shape.Runs, shape.Failures, shape.DocumentsRead, shape.Results));
        Assert.Equal((TimeSpan.FromMilliseconds(40), TimeSpan.FromMilliseconds(30), TimeSpan.FromMilliseconds(20)), (shape.Total, shape.Longest, shape.Mean));
        Assert.Equal(("Declare an index.", Start.AddSeconds(2)), (shape.Remedy, shape.LastRun));
        Assert.Equal(["second"], shape.Tags);
    }

    [Fact]
    public void Shape_that_was_not_seen_for_the_longest_time_makes_room()
    {
        var shapes = new QueryShapeList(2, TimeProvider.System);

        shapes.Add(Run("a", 1));
        shapes.Add(Run("b", 2));
        shapes.Add(Run("a", 3));
        shapes.Add(Run("c", 4));

        Assert.Equal(["a", "c"], shapes.Sorted(QueryOrder.Frequent).Select(static shape => shape.Shape));
        Assert.Equal(1, shapes.Evicted);
    }

    [Fact]
    public void Orders_are_by_total_longest_count_and_documents()
    {
        var shapes = new QueryShapeList(10, TimeProvider.System);

        for (int i = 0; i < 5; i++)
            shapes.Add(Run("frequent", i, milliseconds: 1, read: 1));
        for (int i = 0; i < 3; i++)
            shapes.Add(Run("total", i, milliseconds: 10, read: 1));
        shapes.Add(Run("slowest", 1, milliseconds: 20, read: 1));
        shapes.Add(Run("read", 1, milliseconds: 1, read: 1_000));

        Assert.Equal(
            ["total", "slowest", "frequent", "read"],
            new[] { QueryOrder.Total, QueryOrder.Slowest, QueryOrder.Frequent, QueryOrder.Read }.Select(order => shapes.Sorted(order)[0].Shape));
    }

    static QueryShape Run(string shape, int second, double milliseconds = 1, long read = 1)
    {
        var elapsed = TimeSpan.FromMilliseconds(milliseconds);
        return new QueryShape(shape, "full scan", [], null, 1, 0, elapsed, elapsed, read, 5, Start.AddSeconds(second));
    }
}
