using Datacake.EventualConsistency;
using Datacake.Testing;
using Datacake.Tests;

namespace Datacake.PostgreSql.Projection.Tests;

public class FollowingTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Table_follows_inserts_updates_and_deletes()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Orders.Of(1, "a"), Orders.Of(2, "b"));
        string schema = TestServer.NewSchema();
        await using var projection = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders).Table(static db => db.Products));

        await TestServer.WaitForAsync(Orders.Customers(schema), "a,b");
        await ShopContext.PutAsync(node.Node, Orders.Of(2, "B"), Orders.Of(3, "c"));
        await TestServer.WaitForAsync(Orders.Customers(schema), "a,B,c");
        await ShopContext.DeleteAsync(node.Node, Orders.Id(1));
        await ShopContext.PutAsync(node.Node, Orders.Of(3, "C"));
        await TestServer.WaitForAsync(Orders.Customers(schema), "B,C");
        await using (var db = new ShopContext(node.Node))
        {
            (await db.Orders.FindAsync([Orders.Id(3)], Token))!.Views += 5;
            await db.SaveChangesAsync(Consistency.None, Token);
        }
        await TestServer.WaitForAsync($"SELECT views FROM {schema}.orders WHERE customer = 'C'", "5");

        await Eventually.WaitUntilAsync(() => projection.Status.All(static table => table.State == ProjectionState.Following), "both tables are kept");
        var status = projection.Status[0];
        Assert.Equal(("Orders", $"{schema}.orders", null), (status.Keyspace, status.Table, status.LastError));
        Assert.NotNull(status.Lag);
        Assert.Equal((1, true), (status.Loads, status.RowsWritten >= 6));
    }

    [Fact]
    public async Task Entities_of_a_transaction_appear_together()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        string schema = TestServer.NewSchema();
        await using var projection = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders));
        await ShopContext.PutAsync(node.Node, Orders.Of(0, "first"));
        await TestServer.WaitForAsync($"SELECT count(*) FROM {schema}.orders", "1");
        // More than the consumer takes at a time.
        await ShopContext.PutAsync(node.Node, [.. Enumerable.Range(1, 5_000).Select(static number => Orders.Of(number, "x"))]);

        string seen = "1";
        await Eventually.WaitUntilAsync(async () => (seen = await TestServer.QueryAsync($"SELECT count(*) FROM {schema}.orders")) != "1", "rows appear");
        Assert.Equal("5001", seen);
    }

    [Fact]
    public async Task Load_reports_its_progress_and_readers_see_all_rows_at_once()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, [.. Enumerable.Range(1, 12_000).Select(static number => Orders.Of(number, "x"))]);
        string schema = TestServer.NewSchema();
        var progress = new Recorded(() => TestServer.QueryAsync($"SELECT count(*) FROM {schema}.orders").GetAwaiter().GetResult());
        await using var projection = await TestServer.StartAsync(node.Node, schema, p => p.Progress(progress).Table(static db => db.Orders));

        await TestServer.WaitForAsync($"SELECT count(*) FROM {schema}.orders", "12000");
        await Eventually.WaitUntilAsync(() => projection.Status[0].Loads == 1, "the load is reported");
        var steps = progress.Steps;
        Assert.Equal((0L, false, "0"), (steps[0].Progress.Rows, steps[0].Progress.IsComplete, steps[0].Seen));
        Assert.All(steps.SkipLast(1), static step => Assert.Equal((false, "0"), (step.Progress.IsComplete, step.Seen)));
        Assert.Equal((12_000L, true, "12000"), (steps[^1].Progress.Rows, steps[^1].Progress.IsComplete, steps[^1].Seen));
        Assert.All(steps.Zip(steps.Skip(1)), static pair => Assert.True(pair.First.Progress.Rows <= pair.Second.Progress.Rows));
        Assert.All(steps, static step => Assert.Equal(12_000, step.Progress.Total));
    }

    [Fact]
    public async Task Expired_entities_leave_the_table()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await OfferAsync(node, 1, TimeSpan.FromHours(1));
        await OfferAsync(node, 2, TimeSpan.FromHours(3));
        await OfferAsync(node, 3, TimeSpan.FromHours(5));
        string schema = TestServer.NewSchema(), query = $"SELECT coalesce(string_agg(id::text, ',' ORDER BY id), '') FROM {schema}.offers";
        await using (await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Offers)))
        {
            await TestServer.WaitForAsync(query, "1,2,3");
            node.Clock.Offset += TimeSpan.FromHours(2);
            await TestServer.WaitForAsync(query, "2,3");
        }
        node.Clock.Offset += TimeSpan.FromHours(2);
        await using var again = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Offers));
        await TestServer.WaitForAsync(query, "3");
    }

    static async Task OfferAsync(TestNode node, long id, TimeSpan time)
    {
        await using var db = new ShopContext(node.Node);
        db.Offers.Put(new Offer { Id = id, EndsAt = node.Clock.GetUtcNow() + time });
        await db.SaveChangesAsync(Consistency.None, Token);
    }

    /// <summary>Records progress, and what readers see meanwhile.</summary>
    sealed class Recorded(Func<string> read) : IProgress<ProjectionProgress>
    {
        public List<(ProjectionProgress Progress, string Seen)> Steps { get; } = [];

        public void Report(ProjectionProgress value) => Steps.Add((value, read()));
    }
}
