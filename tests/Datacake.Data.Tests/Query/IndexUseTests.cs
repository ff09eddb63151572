using Datacake.Data.CodeGeneration;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Planning;
using Datacake.Data.Tests.Shop;

namespace Datacake.Data.Tests.Query;

[Collection(QueriedData.Tests)]
public class IndexUseTests(QueriedData data)
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Index_with_a_descending_column_serves_a_mixed_order_in_both_directions()
    {
        await using var db = data.NewContext();
        Assert.StartsWith(
            "queried: index NullableStatus_DateOnly; order by NullableStatus, DateOnly descending; take 3",
            db.Everything.OrderBy(e => e.NullableStatus).ThenByDescending(e => e.DateOnly).Take(3).Explain(), StringComparison.Ordinal);
        Assert.StartsWith(
            "queried: index NullableStatus_DateOnly, descending; order by NullableStatus descending, DateOnly; take 3",
            db.Everything.OrderByDescending(e => e.NullableStatus).ThenBy(e => e.DateOnly).Take(3).Explain(), StringComparison.Ordinal);
        Assert.StartsWith(
            "queried: index Byte_NullableString where Byte = 2 and NullableString starts with 'ab'",
            db.Everything.Where(e => e.Byte == 2 && e.NullableString!.StartsWith("ab")).Explain(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Conditions_on_an_indexed_property_use_the_index_in_every_spelling()
    {
        await using var db = data.NewContext();
        int[] numbers = [1, 3];
        List<int> list = [.. numbers];
        long wide = 4;
        decimal half = 1.5m;
        double real = 1.5;
        var sorted = new SortedSet<int>(numbers);
        var nullable = new HashSet<int?> { 1, 3 };
        var dictionary = new Dictionary<int, string> { [1] = "a", [3] = "b" };
        var statuses = new HashSet<Status> { Status.Active };
        string[] texts = ["a", "b"];
        bool isWanted = true;
        var anyCase = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "A" };
        Expect("index Int32 where Int32 in (1, 3)", e => numbers.Where(n => n > 0).Contains(e.Int32));
        Expect("index Int32 where Int32 in (1, 3)", e => sorted.Contains(e.Int32));
        Expect("index Int32 where Int32 in (1, 3)", e => nullable.Contains(e.Int32));
        Expect("index NullableInt32 where NullableInt32 in (1, 3)", e => nullable.Contains(e.NullableInt32));
        Expect("index Int32 where Int32 in (1, 3)", e => dictionary.Keys.Contains(e.Int32));
        Expect("index Int32 where Int32 in (1, 3)", e => dictionary.ContainsKey(e.Int32));
        Expect("index Int32 where Int32 in (1, 3)", e => numbers.Any(n => n == e.Int32));
        Expect("index Int32 where Int32 in (1, 3)", e => list.Exists(n => n == e.Int32));
        Expect("index Status_Int32 where Status = Active", e => statuses.Contains(e.Status));
        Expect("index Int32 where Int32 = 1", e => Equals(e.Int32, 1));
        Expect("index Int32 where Int32 = 1", e => e.Int32.Equals(1));
        Expect("nothing, as the condition is never true", e => Equals(e.Int32, wide));
        Expect("nothing, as the condition is never true", e => e.Int32 == half);
        Expect("index Int32 where Int32 > 1", e => e.Int32 > half);
        Expect("index Int32 where Int32 <= 1", e => e.Int32 < real);
        Expect("index NullableInt32 where NullableInt32 = 5", e => (e.NullableInt32 ?? 0) == 5);
        Expect("index NullableInt32 where NullableInt32 in (0, null)", e => e.NullableInt32.GetValueOrDefault() == 0);
        Assert.StartsWith(
            "queried: index NullableInt32 where NullableInt32 < 5 or index NullableInt32 where NullableInt32 = null; check ",
            db.Everything.Where(e => (e.NullableInt32 ?? 0) < 5).Explain(), StringComparison.Ordinal);
        Expect("index NullableString where NullableString in (null, '')", e => string.IsNullOrEmpty(e.NullableString));
        Expect("index NullableString where NullableString > ''", e => !string.IsNullOrEmpty(e.NullableString));
        Expect("index Set where Set contains 'a'", e => e.Set.Any(s => s == "a"));
        Expect("index Set where Set contains 'a' or 'b'", e => e.Set.Overlaps(texts));
        Expect("index Set where Set contains 'a' or 'b'", e => e.Set.Any(s => texts.Contains(s)));
        Expect("index Int32 where Int32 = 1", e => !isWanted || e.Int32 == 1);
        Expect("index Int32 where Int32 = 1", e => isWanted ? e.Int32 == 1 : e.Boolean);
        Assert.StartsWith("queried: full scan", db.Everything.Where(e => anyCase.Contains(e.NullableString!)).Explain(), StringComparison.Ordinal);

        void Expect(string plan, System.Linq.Expressions.Expression<Func<Everything, bool>> condition) =>
            Assert.Equal("queried: " + plan, db.Everything.Where(condition).Explain());
    }

    [Fact]
    public async Task Computed_sequence_is_evaluated_once_per_run()
    {
        await using var db = data.NewContext();
        int evaluations = 0;
        IEnumerable<int> Numbers()
        {
            evaluations++;
            yield return 1;
            yield return 3;
        }
        var numbers = Numbers();
        Assert.Equal(data.Entities.Count(e => e.Int16 is 1 or 3), await db.Everything.CountAsync(e => numbers.Contains(e.Int16), Token));
        Assert.Equal(1, evaluations);
        Assert.Equal(data.Entities.Count(e => e.Int32 is 1 or 3 && e.Boolean), await db.Everything.CountAsync(e => numbers.Contains(e.Int32) && e.Boolean, Token));
        Assert.Equal(2, evaluations);
    }

    [Fact]
    public async Task Plan_shows_captured_variables_by_name()
    {
        await using var db = data.NewContext();
        int limit = 3;
        Assert.EndsWith("check e.String.Length > limit", db.Everything.Where(e => e.String.Length > limit).Explain(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Counts_of_index_conditions_read_no_documents_and_extremes_of_indexed_properties_at_most_one()
    {
        await using var db = data.NewContext();
        Assert.Equal("queried: index Int32 where Int32 > 0", db.Everything.Where(e => e.Int32 > 0).Explain());
        var runs = (Run(db.Everything.Where(e => e.Int32 > 0)), Run(db.Everything.Where(e => e.NullableInt32 <= 2)),
            Run(db.Everything.Where(e => e.Int32 > 0 && e.Boolean)), Run(db.Everything.Where(e => e.Double > 0)));
        Assert.Equal((true, true, false, false),
            (runs.Item1.Checked.Count == 0, runs.Item2.Checked.Count == 0, runs.Item3.Checked.Count == 0, runs.Item4.Checked.Count == 0));

        var store = await EventualConsistency.DatacakeNodeStoreExtensions.OpenStoreAsync(db.Node, Token);
        using var snapshot = await store.OpenSnapshotAsync(Token);
        Assert.Equal(data.Entities.Count(e => e.Int32 > 0), await runs.Item1.CountAsync(snapshot, Token));
        Assert.Equal(0, runs.Item1.DocumentsRead);
        Assert.Equal(data.Entities.Count(e => e.NullableInt32 <= 2), await runs.Item2.CountAsync(snapshot, Token));
        Assert.Equal(data.Entities.Max(e => e.DateTime), await db.Everything.MaxAsync(e => e.DateTime, Token));
        Assert.Equal(data.Entities.Min(e => e.NullableInt32), await db.Everything.MinAsync(e => e.NullableInt32, Token));

        QueryRun<Everything> Run(Query<Everything> query) => ((EntityOperator<Everything>)query.Operator).NewRun();
    }

    [Fact]
    public async Task Plan_is_shared_by_queries_of_the_same_shape_with_different_values()
    {
        await using var db = data.NewContext();
        // Queries of other tests use the cache of the model at the same time.
        var plans = new PlanCache();
        for (int i = -3; i < 4; i++)
        {
            string prefix = new('a', Math.Abs(i));
            Check(e => e.Int32 == i);
            Check(e => e.Int32 > i && e.Int32 <= 2);
            Check(e => e.Byte == i && e.NullableString!.StartsWith(prefix));
        }
        Assert.Equal(3, plans.Count);
        int other = 17;
        Assert.Equal("queried: index Int32 where Int32 = 17", db.Everything.Where(e => e.Int32 == other).Explain());

        void Check(System.Linq.Expressions.Expression<Func<Everything, bool>> condition)
        {
            var run = ((EntityOperator<Everything>)db.Everything.Where(condition).Operator).NewRun();
            string expected = $"{QueryPlanner.Plan(db.Everything.Model, run.Alternatives, [])}";
            Assert.Equal(expected, $"{run.Path}");
            Assert.Equal(expected, $"{plans.Plan(db.Everything.Model, run.Alternatives, [])}");
        }
    }

    [Fact]
    public async Task Expression_is_compiled_once_per_line_of_code()
    {
        await using var db = data.NewContext();
        var expressions = new CompiledExpressions(db.Everything.Model);
        for (int i = -4; i < 4; i++)
        {
            string prefix = new('a', Math.Abs(i));
            var predicate = expressions.Compile<Everything, bool>(e => e.Int32 == i && e.String.StartsWith(prefix, StringComparison.Ordinal));
            Assert.Equal(data.Entities.Where(e => e.Int32 == i && e.String.StartsWith(prefix, StringComparison.Ordinal)), data.Entities.Where(predicate));
        }
        Assert.Equal(1, expressions.Count);
    }

    [Fact]
    public async Task Projection_reads_only_the_components_that_the_query_uses()
    {
        await using var db = data.NewContext();
        var model = db.Everything.Model;
        Assert.Equal(["Int32", "List", "Owned", "Owned.Point", "Owned.Point.Latitude", "Owned.Point.Longitude"], Used(e => e.Int32 + e.List.Count, e => e.Owned!.Point));
        Assert.Equal(["Boolean", "Owned", "Owned.Text"], Used(e => e.Owned!.Text, e => e.Boolean && e.Id != Guid.Empty));
        Assert.Null(ComponentAnalysis.Of(model, [Lambda(e => e.Computed)]));
        Assert.Null(ComponentAnalysis.Of(model, [Lambda(e => e.ToString())]));
        Assert.Equal(
            data.Entities.Where(e => e.Byte > 0).OrderBy(e => e.Id).Select(e => (e.Computed, e.Owned?.Text)),
            await db.Everything.Where(e => e.Byte > 0).Select(e => ValueTuple.Create(e.Computed, e.Owned == null ? null : e.Owned.Text)).ToListAsync(Token));

        IEnumerable<string> Used(params System.Linq.Expressions.Expression<Func<Everything, object?>>[] uses) =>
            ComponentAnalysis.Of(model, uses)!.Zip(model.Paths).Where(use => use.First).Select(use => use.Second.Name).Order(StringComparer.Ordinal);

        static System.Linq.Expressions.LambdaExpression Lambda(System.Linq.Expressions.Expression<Func<Everything, object?>> use) => use;
    }

    [Fact]
    public void Different_expressions_have_different_shapes()
    {
        int number = 3;
        System.Linq.Expressions.Expression<Func<Everything, bool>>[] different =
        [
            e => e.Int32 == number, e => e.Int32 > number, e => e.UInt16 == number, e => e.Int32 == number && e.Boolean, e => !e.Boolean,
            e => e.NullableInt32 == number, e => e.List.Any(x => x.Length == number), e => e.List.All(x => x.Length == number),
            e => new[] { number, 2 }.Contains(e.Int32), e => new[] { number, 2, 3 }.Contains(e.Int32), e => (object)e is Product, e => (object)e is Everything,
        ];
        var shapes = different.Select(each => ExpressionShape.Of(each)!.Value.Shape).ToList();
        Assert.Equal(different.Length, shapes.Distinct().Count());
        int other = 4;
        System.Linq.Expressions.Expression<Func<Everything, bool>> same = x => x.Int32 == other;
        System.Linq.Expressions.Expression<Func<Everything, bool>> again = y => y.Int32 == other;
        Assert.Equal(ExpressionShape.Of(same)!.Value.Shape, ExpressionShape.Of(again)!.Value.Shape);
    }

    [Fact]
    public async Task Warning_of_a_wasteful_scan_names_an_index_that_would_help()
    {
        await using var db = data.NewContext();
        string Remedy(Query<Everything> query) => ScanWarning.Remedy(
            db.Keyspaces.First(keyspace => keyspace.Entity.Type == typeof(Everything)).Entity, ((EntityOperator<Everything>)query.Operator).NewRun().Alternatives,
            [new OrderingColumn("Int32", false)]);
        Assert.Equal("Declare on Everything: [Index(\"String\", \"Int64\")].", Remedy(db.Everything.Where(e => e.Int64 > 3 && e.String == "x")));
        Assert.Equal("Declare on Everything: [Index(\"String\", \"Int32\")].", Remedy(db.Everything.Where(e => e.String == "x")));
        Assert.Equal(
            "Declare on Everything: [Index(\"Char\", \"Int32\")] and [Index(\"String\", \"Int32\")].", Remedy(db.Everything.Where(e => e.Char == 'x' || e.String == "x")));
        Assert.Contains("No index", Remedy(db.Everything.Where(e => e.String.Length == 3)), StringComparison.Ordinal);
    }
}
