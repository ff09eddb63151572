using Datacake.Testing;
using Datacake.Tests;

namespace Datacake.PostgreSql.Projection.Tests;

public class SchemaTests
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task New_property_gets_a_column_that_is_filled()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Orders.Of(1, "a"), Orders.Of(2, "b"));
        string schema = TestServer.NewSchema();
        await using (await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders, static t => t.Ignore(static o => o.Customer).Ignore(static o => o.Tags).CollectionsAsTables())))
            await TestServer.WaitForAsync($"SELECT count(*) FROM {schema}.orders_all", "2");
        await TestServer.QueryAsync($"CREATE VIEW {schema}.report AS SELECT id, lines FROM {schema}.orders_all");

        await using var projection = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders, static t => t.CollectionsAsTables()));
        await TestServer.WaitForAsync($"SELECT string_agg(customer, ',' ORDER BY id) FROM {schema}.orders_all WHERE tags = '[]'", "a,b");
        Assert.Equal("2", await TestServer.QueryAsync($"SELECT count(*) FROM {schema}.report"));
        await Eventually.WaitUntilAsync(() => projection.Status[0].Loads == 1, "the load is counted");
    }

    [Fact]
    public async Task Column_of_another_type_is_reported_and_filled_again_once_it_is_dropped()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Orders.Of(1, "a"));
        string schema = TestServer.NewSchema();
        await using (await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders)))
            await TestServer.WaitForAsync(Orders.Customers(schema), "a");

        await using var projection = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders, static t => t.EnumsAsIntegers()));
        await Eventually.WaitUntilAsync(() => projection.Status[0].State == ProjectionState.Failed, "the error is shown");
        Assert.Equal(
            $"The column 'state' of the table {schema}.orders has the type text, but the property State of Order needs integer. Drop the column (ALTER TABLE \"{schema}\".\"orders\" DROP COLUMN \"state\" CASCADE), "
                + "which is then added and filled again, or give the property another column with Column.",
            projection.Status[0].LastError!.Message);
        await TestServer.QueryAsync($"ALTER TABLE \"{schema}\".\"orders\" DROP COLUMN \"state\" CASCADE");
        await TestServer.WaitForAsync($"SELECT state FROM {schema}.orders", "0");
        await Eventually.WaitUntilAsync(() => projection.Status[0] is { State: ProjectionState.Following, LastError: null }, "the table is kept");
    }

    [Fact]
    public async Task Table_of_somebody_else_is_not_replaced()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Orders.Of(1, "a"));
        string schema = TestServer.NewSchema();
        await TestServer.QueryAsync($"CREATE SCHEMA {schema}; CREATE TABLE {schema}.orders (id uuid PRIMARY KEY, customer text); INSERT INTO {schema}.orders VALUES ('{Guid.Empty}', 'mine')");
        await using var projection = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders));

        await Eventually.WaitUntilAsync(() => projection.Status[0].State == ProjectionState.Failed, "the error is shown");
        Assert.StartsWith($"The table or view {schema}.orders exists and is not the one of this projection", projection.Status[0].LastError!.Message, StringComparison.Ordinal);
        Assert.Equal("mine", await TestServer.QueryAsync(Orders.Customers(schema)));
        await TestServer.QueryAsync($"DROP TABLE {schema}.orders");
        await TestServer.WaitForAsync(Orders.Customers(schema), "a");
    }

    [Fact]
    public async Task Table_without_the_columns_of_the_key_is_reported()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        string schema = TestServer.NewSchema();
        await using (await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders)))
            await TestServer.WaitForAsync(Orders.Customers(schema), "");

        await using var projection = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders, static t => t.Column(static o => o.Id, "number")));
        await Eventually.WaitUntilAsync(() => projection.Status[0].State == ProjectionState.Failed, "the error is shown");
        Assert.Contains($"The table {schema}.orders has no column 'number' for the property Id of Order, which is a part of the key.", projection.Status[0].LastError!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dropped_table_is_created_and_loaded_again()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: Token);
        await ShopContext.PutAsync(node.Node, Orders.Of(1, "a"));
        string schema = TestServer.NewSchema();
        await using var projection = await TestServer.StartAsync(node.Node, schema, static p => p.Table(static db => db.Orders));
        await TestServer.WaitForAsync(Orders.Customers(schema), "a");

        await TestServer.QueryAsync($"DROP TABLE {schema}.orders");
        await ShopContext.PutAsync(node.Node, Orders.Of(2, "b"));
        await TestServer.WaitForAsync(Orders.Customers(schema), "a,b");
    }
}
